import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { normalizePath } from './path.ts'
import { parsePattern } from './pattern.ts'
import { checkRewrite, compileHost, compilePath, compileRewrite, type PrefixRewrite } from './rewrite.ts'

function rewrites(rewrite: PrefixRewrite, cases: Record<string, string>): void {
  const apply = compileRewrite(rewrite)
  for (const [path, expected] of Object.entries(cases)) assert.equal(apply(path), expected, path)
}

test('a prefix is stripped at segment boundaries', () => {
  const cases = {
    '/api/v1': '/',
    '/api/v1/': '/',
    '/api/v1/users': '/users',
    '/api/v12': '/api/v12',
    '/other': '/other',
  }
  rewrites({ strip: '/api/v1' }, cases)
  rewrites({ strip: '/api/v1/' }, cases)
})

test('a prefix is replaced at segment boundaries', () => {
  const cases = { '/old': '/new/x', '/old/': '/new/x/', '/old/a': '/new/x/a', '/older': '/older' }
  rewrites({ prefix: '/old', with: '/new/x' }, cases)
  rewrites({ prefix: '/old', with: '/new/x/' }, cases)
})

test('replacing a prefix by the root strips it', () => {
  rewrites({ prefix: '/a', with: '/' }, { '/a': '/', '/a/b': '/b' })
})

test('replacing the root prepends to every path', () => {
  rewrites({ prefix: '/', with: '/v2' }, { '/': '/v2/', '/a': '/v2/a' })
})

test('stripping the root changes nothing', () => {
  rewrites({ strip: '/' }, { '/': '/', '/a': '/a', '/a/': '/a/' })
})

test('prefixes are normalized like request paths', () => {
  rewrites({ prefix: '/caf%c3%a9', with: '/a b' }, { '/caf%C3%A9/x': '/a%20b/x' })
})

test('a prefix that is not a plain path is rejected', () => {
  for (const rewrite of [
    { strip: '/a/*' },
    { strip: 'a' },
    { prefix: '/{id}', with: '/' },
    { prefix: '/a', with: '/b/*' },
  ]) {
    assert.throws(() => compileRewrite(rewrite), { name: 'PatternError' })
  }
})

test('property: a rewritten path is in normal form', () => {
  const plain = fc.array(fc.constantFrom('a', 'b', 'a%2Fb')).map((parts) => `/${parts.join('/')}`)
  fc.assert(
    fc.property(plain, plain, plain, fc.boolean(), (prefix, replacement, rest, slash) => {
      const path = normalizePath(`${prefix}${rest}${slash ? '/' : ''}`)!
      const result = compileRewrite({ prefix, with: replacement })(path)
      assert.equal(normalizePath(result), result)
    }),
  )
})

function request(path: string, params: Record<string, string> = {}, host = 'shop.example:8000') {
  return { path, host, client: { scheme: 'http' as const }, params }
}

for (const [to, pattern, path, params, expected] of [
  ['/one', '/full/*', '/full/a/b', {}, '/one'],
  ['/new/{id}', '/old/{id}', '/old/7', { id: '7' }, '/new/7'],
  ['/new/{id}/*', '/old/{id}/*', '/old/7/x/', { id: '7' }, '/new/7/x/'],
  ['/*', '/v1/*', '/v1', {}, '/'],
  ['/v2{path}', '/*', '/a/b', {}, '/v2/a/b'],
  ['/files/{name}', '/f/{name}', '/f/a%2Fb', { name: 'a/b' }, '/files/a%2Fb'],
] as const)
  test(`${path} on ${pattern} becomes ${expected} with ${to}`, () => {
    assert.equal(compilePath({ path: to }, parsePattern(pattern))?.(request(path, params)), expected)
  })

for (const [to, host, expected] of [
  ['users.internal:8080', 'a', 'users.internal:8080'],
  ['{tenant}.internal', 'a', 'acme%0D%0AX%3A1.internal'],
  ['{hostname}.internal:{port}', 'shop.example:8000', 'shop.example.internal:8000'],
  ['{hostname}.internal:{port}', 'shop.example', 'shop.example.internal:80'],
  ['{hostname}', '[::1]:8000', '[::1]'],
  ['{host}', '[::1]', '[::1]'],
  ['{hostname}:{port}', '[::1]', '[::1]:80'],
] as const)
  test(`the Host ${host} becomes ${expected} with ${to}`, () => {
    const pending = request('/acme', { tenant: 'acme\r\nX:1' }, host)
    assert.equal(compileHost({ host: to }, parsePattern('/{tenant}'))?.(pending), expected)
  })

test('a rewrite of the host leaves the path alone', () => {
  const pattern = parsePattern('/*')
  assert.equal(compilePath({ host: 'a' }, pattern), null)
  assert.equal(compileHost({ path: '/a' }, pattern), null)
})

test('templates with parameters that not every path has are rejected', () => {
  const patterns = ['/a/{id}', '/b/{name}'].map(parsePattern)
  for (const rewrite of [
    { path: '/{id}' },
    { path: '/x/*' },
    { path: '/{host}' },
    { path: '/a/{path}' },
    { host: '{id}' },
    { host: '{path}' },
    { host: '{' },
  ])
    assert.throws(() => checkRewrite(rewrite, patterns), { name: 'PatternError' })
})
