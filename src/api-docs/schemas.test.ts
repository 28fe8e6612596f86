import assert from 'node:assert/strict'
import test from 'node:test'
import { runToEnd } from '../core/time-slices.ts'
import type { Json } from '../../test/support/openapi.ts'
import { BrokenDocument } from './broken.ts'
import { NamedSchema, Schemas } from './schemas.ts'
import { Source } from './source.ts'

/** A schema as it is taken over, and those that it refers to, by the names that they would like to have. */
function read(schema: unknown, root: Json = {}) {
  const schemas = new Schemas(new Source(root))
  const found = plain(schemas.read(schema, 0))
  runToEnd(schemas.finish())
  return { found, named: Object.fromEntries(schemas.named.map((each) => [each.wish, plain(each.schema)])) }
}

function plain(value: unknown): unknown {
  if (value === undefined) return undefined
  const text = JSON.stringify(value, (_, item: unknown) => (item instanceof NamedSchema ? `-> ${item.wish}` : item))
  return JSON.parse(text) as unknown
}

test('OpenAPI 3.0 schemas are converted to 3.1', () => {
  for (const [written, expected] of [
    [{ type: 'string', nullable: true }, { type: ['string', 'null'] }],
    [{ type: ['string'], nullable: true }, { type: ['string'] }],
    [{ enum: ['a'], nullable: true }, { anyOf: [{ enum: ['a'] }, { type: 'null' }] }],
    [{ type: 'string', nullable: false }, { type: 'string' }],
    [{ minimum: 1, exclusiveMinimum: true }, { exclusiveMinimum: 1 }],
    [
      { maximum: 9, exclusiveMaximum: true, minimum: 1, exclusiveMinimum: false },
      { exclusiveMaximum: 9, minimum: 1 },
    ],
    [{ exclusiveMinimum: 1 }, { exclusiveMinimum: 1 }],
    [{ example: { a: 1 } }, { examples: [{ a: 1 }] }],
    [{ example: 1, examples: [2] }, { examples: [2] }],
    [
      { type: 'string', format: 'byte' },
      { type: 'string', contentEncoding: 'base64' },
    ],
  ])
    assert.deepEqual(read(written).found, expected, JSON.stringify(written))
})

test('unknown keywords, and values of the wrong type, are left out', () => {
  const written = {
    type: 'file',
    title: 7,
    minLength: -1,
    maxItems: 1.5,
    multipleOf: 0,
    pattern: '(',
    required: 'name',
    enum: [],
    allOf: [],
    items: [{ type: 'string' }],
    properties: { a: 'string', b: true, c: { type: 'integer' } },
    $id: 'https://elsewhere.test/',
    $dynamicRef: '#meta',
    externalDocs: {},
    'x-own': { a: 1 },
    hostile: true,
  }
  assert.deepEqual(read(written).found, { properties: { b: true, c: { type: 'integer' } }, 'x-own': { a: 1 } })
  for (const value of [null, 1, 'a', []]) assert.equal(read(value).found, undefined)
})

test('references within the document become named schemas, wherever they point', () => {
  const root = {
    components: {
      schemas: {
        User: { type: 'object', properties: { boss: { $ref: '#/components/schemas/User' } } },
        'a/b': { type: 'string' },
      },
    },
    definitions: { Old: true },
    paths: { '/x': { get: { schema: { type: 'integer' } } } },
  }
  const schema = {
    anyOf: [
      { $ref: '#/components/schemas/User', description: 'kept' },
      { $ref: '#/components/schemas/a~1b' },
      { $ref: '#/components/schemas/User/properties/boss' },
      { $ref: '#/definitions/Old' },
      { $ref: '#/paths/~1x/get/schema' },
    ],
  }
  assert.deepEqual(read(schema, root), {
    found: {
      anyOf: [
        { $ref: '-> User', description: 'kept' },
        { $ref: '-> a_b' },
        { $ref: '-> components.schemas.User.properties.boss' },
        { $ref: '-> Old' },
        { $ref: '-> paths._x.get.schema' },
      ],
    },
    named: {
      User: { type: 'object', properties: { boss: { $ref: '-> User' } } },
      a_b: { type: 'string' },
      'components.schemas.User.properties.boss': { $ref: '-> User' },
      Old: true,
      'paths._x.get.schema': { type: 'integer' },
    },
  })
})

test('external, dangling and circular references are left out', () => {
  const root = {
    components: {
      schemas: { A: { $ref: '#/components/schemas/B' }, B: { $ref: '#/components/schemas/A' }, C: 'text' },
    },
  }
  for (const $ref of [
    'https://attacker.test/schema.json',
    'file:///etc/passwd',
    'other.json#/A',
    '#A',
    '#',
    '#/components/schemas/None',
    '#/components/schemas/A',
    '#/components/schemas/C',
    '#/__proto__',
    '#/constructor/prototype',
    '#/components/schemas/%zz',
    `#/${'a/'.repeat(10_000)}`,
  ])
    assert.deepEqual(read({ $ref, title: 'kept' }, root), { found: { title: 'kept' }, named: {} }, $ref)
})

test('examples, defaults and constants contain no references', () => {
  const value = { $ref: 'https://attacker.test/', kept: [{ $ref: '#/a' }, 1, null] }
  const expected = { kept: [{}, 1, null] }
  const schema = { default: value, const: value, enum: [value], examples: [value] }
  assert.deepEqual(read(schema).found, {
    default: expected,
    const: expected,
    enum: [expected],
    examples: [expected],
  })
})

test('a property may have any name except __proto__', () => {
  const schema: unknown = JSON.parse(
    '{"properties":{"__proto__":{"type":"string"},"$ref":{"type":"string"},"constructor":{"type":"string"}}}',
  )
  const schemas = new Schemas(new Source({}))
  const { properties } = schemas.read(schema, 0) as { properties: object }
  assert.deepEqual(Object.keys(properties), ['$ref', 'constructor'])
  assert.equal(Object.getPrototypeOf(properties), Object.prototype)
})

test('discriminators refer to the renamed schemas, by reference or by name', () => {
  const root = { components: { schemas: { Dog: { type: 'object' }, Cat: { type: 'object' } } } }
  const mapping = { dog: 'Dog', cat: '#/components/schemas/Cat', cow: 'https://attacker.test/cow', bird: 'Bird' }
  const { found } = read({ discriminator: { propertyName: 'kind', mapping } }, root)
  assert.deepEqual(found, { discriminator: { propertyName: 'kind', mapping: { dog: '-> Dog', cat: '-> Cat' } } })
  assert.deepEqual(read({ discriminator: { mapping } }, root).found, {})
})

test('a document that is too deep or would become too large is rejected', () => {
  let deep: Json = {}
  for (let i = 0; i < 1000; i++) deep = { items: deep }
  assert.throws(() => read(deep), BrokenDocument)
  assert.throws(
    () => read({ default: JSON.parse(`${'['.repeat(1000)}${']'.repeat(1000)}`) as unknown }),
    BrokenDocument,
  )
  assert.throws(() => read({ enum: Array.from({ length: 500_000 }, (_, i) => i) }), BrokenDocument)
})

test('a long chain of references is resolved completely', () => {
  const last = 20_000
  const schemas = Object.fromEntries(
    Array.from({ length: last }, (_, i) => [`S${i}`, { items: { $ref: `#/components/schemas/S${i + 1}` } }]),
  )
  const { named } = read(
    { $ref: '#/components/schemas/S0' },
    { components: { schemas: { ...schemas, [`S${last}`]: true } } },
  )
  assert.equal(Object.keys(named).length, last + 1)
})
