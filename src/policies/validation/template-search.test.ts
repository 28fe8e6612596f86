import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { Headers } from '../../http/headers.ts'
import { compileTemplates } from './template-search.ts'

const headers = Headers.of()

function find(templates: readonly string[], path: string, method = 'GET', prefix = '') {
  const search = compileTemplates(
    prefix,
    templates.map((template) => ({ template, method: 'GET', declared: ['order:id'], value: template })),
  )
  const match = search(path, method, headers)
  return match.found ? [match.value, { ...match.params }] : match.allow
}

for (const [template, path, params] of [
  ['/files/{p:path}', '/files/a/b%20c', { p: 'a/b c' }],
  ['/files/{p:path}', '/files/', { p: '' }],
  ['/files/{p:path}', '/files', null],
  ['/files/{p:path}/meta', '/files/a/b/meta', { p: 'a/b' }],
  ['/files/{p:path}/meta', '/files/meta', null],
  ['/{proxy+}', '/a/b', { proxy: 'a/b' }],
  ['/{+p}', '/a/b', { p: 'a/b' }],
  ['/{*p}', '/a/b', { p: 'a/b' }],
  ['/a/{p*}', '/a/b/c', { p: 'b/c' }],
  ['/a/{p...}', '/a/b/c', { p: 'b/c' }],
  ['/a/{p:.*}', '/a/b/c', { p: 'b/c' }],
  ['/a/*', '/a/b/c', {}],
  ['/a/*', '/a', {}],
  ['/a/**', '/a/b/c', {}],
  ['/a/**/b', '/a/x/y/b', {}],
  ['/a/**/b', '/a/b', {}],
  ['/a/*/b', '/a/x/b', {}],
  ['/a/*/b', '/a/x/y/b', null],
  ['/a/{id:int}', '/a/1', { id: '1' }],
  ['/a/:id/b', '/a/1/b', { id: '1' }],
  ['/a/{order:id}', '/a/1', { 'order:id': '1' }],
  ['/a/{id:[0-9]+}', '/a/1', { id: '1' }],
  ['/files/{name}.{ext}', '/files/a.b.c', { name: 'a', ext: 'b.c' }],
  ['/files/{name}.{ext}', '/files/a', null],
  ['/files/{name}.json', '/files/.json', null],
  ['/v1/{name}:cancel', '/v1/a:b:cancel', { name: 'a:b' }],
  ["/users('{id}')/x", "/users('7')/x", { id: '7' }],
  ['/a/{from}-{to}', '/a/1-2', { from: '1', to: '2' }],
  ['/é/{p:path}', '/%C3%A9/x', { p: 'x' }],
] as const)
  test(`${template} on ${path}`, () => {
    assert.deepEqual(find([template], path), params === null ? [] : [template, params])
    assert.deepEqual(find([template], `/api${path}`, 'HEAD', '/api'), params === null ? [] : [template, params])
  })

for (const [path, template] of [
  ['/v1/a', '/v1/{name}'],
  ['/v1/a:cancel', '/v1/{name}:cancel'],
  ['/v1/me', '/v1/me'],
  ['/v1/me:cancel', '/v1/me:cancel'],
  ['/v1/a/b', '/v1/{rest:path}'],
  ['/v1/a/raw', '/v1/{name}/raw'],
  ['/v1/a/b/raw', '/v1/{rest:path}/raw'],
] as const)
  test(`among several templates, ${template} is the best match for ${path}`, () => {
    const templates = [
      '/v1/{rest:path}',
      '/v1/{name}',
      '/v1/me',
      '/v1/{name}:cancel',
      '/v1/me:cancel',
      '/v1/{name}/raw',
      '/v1/{rest:path}/raw',
    ]
    assert.equal(find(templates, path)[0], template)
    assert.equal(find(templates.toReversed(), path)[0], template)
    assert.deepEqual(find(templates, path, 'POST'), ['GET', 'HEAD'])
  })

test('property: parameters within a segment reproduce the segment', () => {
  const text = fc.string({ unit: fc.constantFrom('a', '.', '-', ':', '.-'), maxLength: 8 })
  fc.assert(
    fc.property(text, (segment) => {
      const found = find(['/x{a}.-{b}:'], `/x${segment}`)
      const [template, params] = found
      const expected = /^(.+?)\.-(.+):$/.exec(segment)
      assert.equal(template === undefined, expected === null)
      if (expected !== null) assert.deepEqual(params, { a: expected[1], b: expected[2] })
    }),
  )
})
