import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { parseTemplate, type PathTemplate, TemplateError } from './template.ts'
import { TemplateTree } from './template-tree.ts'

function treeOf(...written: readonly string[]): TemplateTree<string> {
  const tree = new TemplateTree<string>()
  for (const each of written) {
    const [method = '', path = ''] = each.split(' ')
    tree.add({ template: parseTemplate(path), method, value: each })
  }
  return tree
}

function found(tree: TemplateTree<string>, method: string, path: string): string | null {
  const match = tree.find(path, method)
  return match.found ? match.value : null
}

test('a template is parsed into segments, variables and a verb', () => {
  assert.deepEqual(parseTemplate('/v1/{name=shelves/*/books/**}:move'), {
    segments: [
      { type: 'literal', text: 'v1' },
      { type: 'literal', text: 'shelves' },
      { type: 'one' },
      { type: 'literal', text: 'books' },
      { type: 'rest' },
    ],
    variables: [{ path: ['name'], start: 1, end: null, isMany: true }],
    verb: 'move',
  })
  assert.deepEqual(parseTemplate('/{a.b}/*').variables, [{ path: ['a', 'b'], start: 0, end: 1, isMany: false }])
  assert.deepEqual(parseTemplate('/').segments, [])
})

for (const template of [
  '',
  'v1',
  '/a//b',
  '/a/',
  '/{a',
  '/a}',
  '/{a}{b}',
  '/x{a}',
  '/{a}x',
  '/**/a',
  '/{a=**}/b',
  '/{}',
  '/{a=}',
  '/{1}',
  '/a b',
  '/{a={b}}',
  '/a:b:',
  '/{a/b}',
])
  test(`${JSON.stringify(template)} is not a template`, () => {
    assert.throws(() => parseTemplate(template), TemplateError)
  })

test('literals take precedence over variables, and variables over the rest', () => {
  const tree = treeOf('GET /v1/items/{id}', 'GET /v1/items/new', 'GET /v1/{rest=**}', 'GET /v1/items/{id}/parts')
  assert.equal(found(tree, 'GET', '/v1/items/new'), 'GET /v1/items/new')
  assert.equal(found(tree, 'GET', '/v1/items/7'), 'GET /v1/items/{id}')
  assert.equal(found(tree, 'GET', '/v1/items/new/parts'), 'GET /v1/items/{id}/parts')
  assert.equal(found(tree, 'GET', '/v1/items/new/other'), 'GET /v1/{rest=**}')
  assert.equal(found(tree, 'GET', '/v1'), 'GET /v1/{rest=**}')
  assert.equal(found(tree, 'GET', '/v2'), null)
})

test('a verb is not part of the last segment unless no binding has it', () => {
  const tree = treeOf('POST /v1/{id}:sell', 'POST /v1/{id}', 'POST /v1/a:b')
  assert.equal(found(tree, 'POST', '/v1/7:sell'), 'POST /v1/{id}:sell')
  assert.equal(found(tree, 'POST', '/v1/7:other'), 'POST /v1/{id}')
  assert.equal(found(tree, 'POST', '/v1/a:b'), 'POST /v1/a:b')
})

test('the methods of other bindings are reported, and "*" matches all', () => {
  const tree = treeOf('PUT /a', 'GET /a', '* /b')
  assert.deepEqual(tree.find('/a', 'POST'), { found: false, allow: ['GET', 'HEAD', 'PUT'] })
  assert.equal(found(tree, 'HEAD', '/a'), 'GET /a')
  assert.equal(found(tree, 'PURGE', '/b'), '* /b')
})

/** The same by going through all of them. */
function matches({ segments, verb }: PathTemplate, path: string): boolean {
  const own = verb === '' ? path : path.endsWith(`:${verb}`) ? path.slice(0, -verb.length - 1) : null
  if (own === null) return false
  const parts = own === '/' ? [] : own.slice(1).split('/')
  const rest = segments.at(-1)?.type === 'rest'
  const fixed = rest ? segments.slice(0, -1) : segments
  if (rest ? parts.length < fixed.length : parts.length !== fixed.length) return false
  return fixed.every((segment, i) => (segment.type === 'literal' ? segment.text === parts[i] : parts[i] !== ''))
}

test('property: the binding found matches, and none matches if none is found', () => {
  const part = fc.constantFrom('a', 'b', '*', '{x}')
  const template = fc
    .tuple(fc.array(part, { maxLength: 4 }), fc.constantFrom('', '/**'), fc.constantFrom('', ':v'))
    .map(([parts, rest, verb]) => {
      const path = parts.map((each, i) => `/${each === '{x}' ? `{x${i}}` : each}`).join('') + rest
      return (path === '' ? '/a' : path) + verb
    })
  const path = fc
    .tuple(fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 5 }), fc.constantFrom('', ':v', ':w'))
    .map(([parts, verb]) => {
      return parts.length === 0 ? '/' : `/${parts.join('/')}${verb}`
    })
  fc.assert(
    fc.property(fc.array(template, { maxLength: 8 }), path, (templates, asked) => {
      const tree = treeOf(...templates.map((each) => `GET ${each}`))
      const value = found(tree, 'GET', asked)
      const all = templates.filter((each) => matches(parseTemplate(each), asked))
      assert.equal(value === null, all.length === 0, all.join(' '))
      if (value !== null) assert.ok(all.includes(value.slice(4)), value)
    }),
  )
})
