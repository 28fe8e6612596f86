import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import type { JsonDocument } from '../../core/document.ts'
import { runToEnd } from '../../core/time-slices.ts'
import { checkSchema, Schemas, UnusableSchema } from './schema.ts'
import { hasDuplicates } from './unique.ts'

function compile(schema: JsonDocument) {
  const check = runToEnd(new Schemas(true).compile(schema))
  return (value: unknown, size = 100) => check(value, size, 'body')
}

const rows: readonly (readonly [
  what: string,
  schema: JsonDocument,
  value: unknown,
  pointer: string,
  detail: string,
])[] = [
  ['a wrong type', { properties: { a: { items: { type: 'number' } } } }, { a: [1, '2'] }, '/a/1', 'must be a number'],
  ['a value of none of the types', { type: ['integer', 'null'] }, 'x', '', 'must be an integer or null'],
  ['a small number', { minimum: 1 }, 0, '', 'must be at least 1'],
  ['the limit of a range', { exclusiveMaximum: 1 }, 1, '', 'must be less than 1'],
  ['an empty text', { minLength: 1 }, '', '', 'must have at least 1 character'],
  ['a long list', { maxItems: 2 }, [1, 2, 3], '', 'must have at most 2 items'],
  ['an excluded value', { not: { const: 1 } }, 1, '', 'is not allowed'],
  ['a missing member', { required: ['a'] }, {}, '/a', 'is required'],
  ['an inherited member', { required: ['toString'] }, {}, '/toString', 'is required'],
  ['an additional member', { additionalProperties: false }, { 'x/y~': 1 }, '/x~1y~0', 'is not allowed'],
  ['an unknown value', { enum: ['a', 'b'] }, 'c', '', 'must be one of "a", "b"'],
  ['another value', { const: 1 }, 2, '', 'must be 1'],
  ['a string that does not match', { pattern: '^a$' }, 'b', '', 'must match pattern "^a$"'],
  [
    'a repeated item',
    { uniqueItems: true },
    [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ],
    '',
    'must not contain an item twice',
  ],
  ['a price with three decimals', { items: { multipleOf: 0.01 } }, [19.99, 4.351], '/1', 'must be a multiple of 0.01'],
  ['an invalid date', { format: 'date' }, '2024-02-30', '', 'must match format "date"'],
]

for (const [what, schema, value, pointer, detail] of rows)
  test(`${what} is reported with its place`, () => {
    assert.deepEqual(compile(schema)(value), [{ pointer, in: 'body', detail }])
  })

test('multipleOf is exact for decimal numbers', () => {
  const check = compile({ items: { type: 'number', multipleOf: 0.01 } })
  assert.equal(check([19.99, 4.35, 0.07, 1e300]), null)
})

test('each pattern of a schema is applied separately', () => {
  const check = compile({
    properties: { a: { pattern: '^a$' }, b: { pattern: '^b$' } },
    patternProperties: { '^c': false },
  })
  assert.equal(check({ a: 'a', b: 'b' }), null)
  assert.equal(check({ a: 'b', b: 'a', c: 1 })?.length, 3)
})

test('for a large value only the first violation is reported, for a small one all', () => {
  const check = compile({ items: { type: 'string' } })
  assert.equal(check([1, 2, 3], 16_384)?.length, 3)
  assert.equal(check([1, 2, 3], 16_385)?.length, 1)
})

test('reports stay short, however long names are', () => {
  const check = compile({ additionalProperties: { additionalProperties: false } })
  const [violation] = check({ a: { ['x'.repeat(10_000)]: 1 } }) ?? []
  assert.deepEqual(violation, { pointer: '/a', in: 'body', detail: 'is not allowed' })
})

test('a value nested deeper than the stack is rejected', () => {
  const check = compile({ $defs: { list: { items: { $ref: '#/$defs/list' } } }, $ref: '#/$defs/list' })
  const value: unknown = JSON.parse(`${'['.repeat(200_000)}${']'.repeat(200_000)}`)
  assert.deepEqual(check(value), [{ pointer: '', in: 'body', detail: 'is nested too deeply' }])
})

test('validation changes neither prototypes nor values', () => {
  const check = compile({
    properties: { a: { default: 1, type: 'integer' } },
    additionalProperties: { type: 'object' },
  })
  const value: unknown = JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}')
  assert.equal(check(value), null)
  assert.equal(JSON.stringify(value), '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}')
  assert.equal('polluted' in {}, false)
})

test('items are duplicates if they are equal as JSON', () => {
  assert.ok(hasDuplicates([[{ a: [1] }], [{ a: [1] }]]))
  assert.ok(!hasDuplicates([1, '1', null, 'null', [1], ['1'], { a: 1 }, { a: '1' }, { b: 1 }]))
  fc.assert(
    fc.property(fc.array(fc.jsonValue(), { maxLength: 5 }), (items) => {
      const texts = items.map((item) => JSON.stringify(item))
      if (new Set(texts).size < texts.length) assert.ok(hasDuplicates(items))
      assert.ok(items.length === 0 || hasDuplicates([...items, items[0]]))
    }),
  )
})

const broken: readonly (readonly [JsonDocument, RegExp])[] = [
  [{ type: 'strng' }, /\/type must be/],
  [{ properties: { a: { minimum: '1' } } }, /\/properties\/a\/minimum must be a number/],
  [{ $schema: 'http://json-schema.org/draft-07/schema#' }, /\$schema must be "https:\/\/json-schema/],
  [{ $async: true }, /\$async is not allowed/],
]

for (const [schema, reason] of broken)
  test(`the schema ${JSON.stringify(schema)} is rejected`, () => {
    assert.throws(
      () => checkSchema(schema),
      (error) => error instanceof UnusableSchema && reason.test(error.message),
    )
  })

const unusable: readonly (readonly [JsonDocument, RegExp])[] = [
  [{ minimun: 1 }, /unknown keyword: "minimun"/],
  [{ format: 'dat' }, /unknown format "dat"/],
  [{ $ref: '#/$defs/none' }, /can't resolve reference/],
  [{ $ref: 'https://example.com/schema' }, /can't resolve reference/],
  [{ pattern: '(a)\\1' }, /back reference/],
  [{ patternProperties: { 'a(?=b)': true } }, /a lookaround other than a lookahead/],
]

for (const [schema, reason] of unusable)
  test(`the schema ${JSON.stringify(schema)} cannot be compiled`, () => {
    assert.throws(
      () => compile(schema),
      (error) => error instanceof UnusableSchema && reason.test(error.message),
    )
  })
