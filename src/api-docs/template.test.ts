import assert from 'node:assert/strict'
import test from 'node:test'
import { parsePattern } from '../routing/pattern.ts'
import { compileRewrite } from '../routing/rewrite.ts'
import { beforeRewrite, keyOf, narrow, parseTemplate, sampleOf, templateOf, textOf } from './template.ts'

for (const [path, pattern, expected] of [
  ['/users/{id}', '/users/*', '/users/{id}'],
  ['/users', '/users/*', '/users'],
  ['/users2', '/users/*', null],
  ['/users/{id}', '/users', null],
  ['/users/{id}', '/users/{any}', '/users/{id}'],
  ['/users/{id}', '/users/me', '/users/me'],
  ['/users/me', '/users/{any}', '/users/me'],
  ['/users/{id}/roles', '/users/me/*', '/users/me/roles'],
  ['/users/{id}', '/users/', null],
  ['/users/', '/users/{id}', null],
  ['/users/', '/users/*', '/users/'],
  ['/files/{name}.json', '/files/{any}', '/files/{name}.json'],
  ['/files/{name}.json', '/files/a.json', null],
  ['/', '/*', '/'],
  ['/', '/', '/'],
  ['/a', '/', null],
  ['/', '/{id}', null],
] as const)
  test(`${pattern} restricts ${path} to ${expected ?? 'nothing'}`, () => {
    const template = narrow(parseTemplate(path)!, parsePattern(pattern))
    assert.equal(template === null ? null : textOf(template), expected)
  })

test('invalid paths are rejected', () => {
  for (const path of [
    '',
    'users',
    '/a//b',
    '/a/{id',
    '/a/}',
    '/a/../b',
    '/a?b',
    '/a#b',
    '/a\\b',
    '/%zz',
    '/%2e%2e',
    '/a?{id}',
  ])
    assert.equal(parseTemplate(path), null, path)
})

test('literals are normalized like request paths, and parameter samples match no literal', () => {
  assert.equal(textOf(parseTemplate('/caf\u00e9s')!), '/caf%C3%A9s')
  assert.equal(textOf(parseTemplate('/caf\u00e9-{id}')!), '/caf%C3%A9-{id}')
  const encoded = parseTemplate('/caf%c3%a9s/%61/{id}-{part}')!
  assert.equal(textOf(encoded), '/caf%C3%A9s/a/{id}-{part}')
  assert.equal(keyOf(encoded), '/caf%C3%A9s/a/{}-{}')
  assert.equal(sampleOf(encoded), '/caf%C3%A9s/a/%7Bid%7D-%7Bpart%7D')
})

test('"/*" becomes a parameter with a unique name', () => {
  assert.equal(textOf(templateOf(parsePattern('/a/{id}/*'))), '/a/{id}/{path}')
  assert.equal(textOf(templateOf(parsePattern('/{path}/*'))), '/{path}/{rest}')
  assert.equal(textOf(templateOf(parsePattern('/a'))), '/a')
})

test('paths from before a rewrite lead to the given path', () => {
  const rewrites = [{ strip: '/api' }, { strip: '/' }, { prefix: '/v1', with: '/api' }, { prefix: '/', with: '/api' }]
  for (const rewrite of [...rewrites, { prefix: '/v1', with: '/' }])
    for (const path of ['/', '/api', '/api/users/{id}', '/v1', '/v1/a', '/other']) {
      const change = compileRewrite(rewrite)
      for (const before of beforeRewrite(path, rewrite)) assert.equal(change(before), path)
    }
  assert.deepEqual(beforeRewrite('/users/{id}', { strip: '/api' }), ['/api/users/{id}', '/users/{id}'])
  assert.deepEqual(beforeRewrite('/', { strip: '/api' }), ['/api', '/'])
  assert.deepEqual(beforeRewrite('/api/a', { prefix: '/v1', with: '/api' }), ['/v1/a', '/api/a'])
  assert.deepEqual(beforeRewrite('/v1/a', { prefix: '/v1', with: '/api' }), [])
})
