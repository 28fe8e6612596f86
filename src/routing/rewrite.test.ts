import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { normalizePath } from './path.ts'
import { compileRewrite, type Rewrite } from './rewrite.ts'

function rewrites(rewrite: Rewrite, cases: Record<string, string>): void {
  const apply = compileRewrite(rewrite)
  for (const [path, expected] of Object.entries(cases)) assert.equal(apply(path), expected, path)
}

test('a prefix is stripped on segment boundaries', () => {
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

test('a prefix is replaced on segment boundaries', () => {
  const cases = { '/old': '/new/x', '/old/': '/new/x/', '/old/a': '/new/x/a', '/older': '/older' }
  rewrites({ prefix: '/old', with: '/new/x' }, cases)
  rewrites({ prefix: '/old', with: '/new/x/' }, cases)
})

test('a prefix replaced by the root is stripped', () => {
  rewrites({ prefix: '/a', with: '/' }, { '/a': '/', '/a/b': '/b' })
})

test('a replaced root is put before every path', () => {
  rewrites({ prefix: '/', with: '/v2' }, { '/': '/v2/', '/a': '/v2/a' })
})

test('stripping the root changes nothing', () => {
  rewrites({ strip: '/' }, { '/': '/', '/a': '/a', '/a/': '/a/' })
})

test('prefixes are normalised as request paths are', () => {
  rewrites({ prefix: '/caf%c3%a9', with: '/a b' }, { '/caf%C3%A9/x': '/a%20b/x' })
})

test('a prefix that is no plain path is refused', () => {
  for (const rewrite of [
    { strip: '/a/*' },
    { strip: 'a' },
    { prefix: '/{id}', with: '/' },
    { prefix: '/a', with: '/b/*' },
  ]) {
    assert.throws(() => compileRewrite(rewrite), { name: 'PatternError' })
  }
})

test('a rewritten path is a normal path', () => {
  const plain = fc.array(fc.constantFrom('a', 'b', 'a%2Fb')).map((parts) => `/${parts.join('/')}`)
  fc.assert(
    fc.property(plain, plain, plain, fc.boolean(), (prefix, replacement, rest, slash) => {
      const path = normalizePath(`${prefix}${rest}${slash ? '/' : ''}`)!
      const result = compileRewrite({ prefix, with: replacement })(path)
      assert.equal(normalizePath(result), result)
    }),
  )
})
