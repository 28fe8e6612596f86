import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import type { JsonDocument } from '../../core/document.ts'
import { runToEnd } from '../../core/time-slices.ts'
import { isFields } from '../../core/value.ts'
import { Schemas } from './schema.ts'
import { type UnusablePatterns, withoutUnusablePatterns } from './unusable-patterns.ts'

const UNUSABLE = '(a)\\1'

function usable(schema: JsonDocument): { schema: unknown; found: UnusablePatterns } {
  const found: UnusablePatterns = []
  return { schema: withoutUnusablePatterns(schema, '#', found), found }
}

const rows: readonly (readonly [what: string, schema: JsonDocument, left: JsonDocument])[] = [
  ['itself', { type: 'string', pattern: UNUSABLE }, { type: 'string' }],
  [
    'the ban on other members',
    { patternProperties: { [UNUSABLE]: { type: 'null' } }, additionalProperties: false },
    { patternProperties: {} },
  ],
  ['a negated schema', { not: { pattern: UNUSABLE }, minLength: 1 }, { minLength: 1 }],
  ['schemas that depend on it', { if: { pattern: UNUSABLE }, else: { maxLength: 2 } }, {}],
  [
    'oneOf with it',
    { oneOf: [{ pattern: UNUSABLE }, { pattern: '^b' }] },
    { allOf: [{ anyOf: [{}, { pattern: '^b' }] }] },
  ],
]

for (const [what, schema, left] of rows)
  test(`an unusable pattern also removes ${what}`, () => {
    assert.deepEqual(usable(schema).schema, left)
  })

test('the report has the place, the pattern and the reason', () => {
  const { found } = usable({ properties: { 'a/b': { items: { anyOf: [{ pattern: 'a' }, { pattern: UNUSABLE }] } } } })
  assert.deepEqual(found, [
    '#/properties/a~1b/items/anyOf/1/pattern: the pattern "(a)\\\\1" has "\\1", a back reference, and cannot be tested in time linear in the text',
  ])
})

test('properties with the name of a keyword are not patterns', () => {
  const schema = {
    properties: { pattern: { type: 'string' }, not: { enum: ['(a)\\1'] } },
    default: { pattern: UNUSABLE },
  }
  assert.deepEqual(usable(schema), { schema, found: [] })
})

/** Schemas in which `p` stands for an expression. */
const { schemas } = fc.letrec<{ schemas: JsonDocument }>((tie) => {
  const inner = tie('schemas')
  const list = fc.array(inner, { minLength: 1, maxLength: 2 })
  return {
    schemas: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom<JsonDocument>({ pattern: '(?:a)' }, { pattern: 'p' }, { minLength: 1 }, { type: 'object' }),
      inner.map((not) => ({ not })),
      list.map((oneOf) => ({ oneOf })),
      list.map((anyOf) => ({ anyOf })),
      list.map((allOf) => ({ allOf })),
      fc
        .tuple(inner, inner, inner)
        .map(([first, second, third]) =>
          Object.fromEntries(Object.entries({ if: first, else: third }).concat([['then', second]])),
        ),
      inner.map((a) => ({ properties: { a } })),
      inner.map((each) => ({ patternProperties: { p: each, '^b$': each }, additionalProperties: false })),
    ),
  }
})

/** The schema with another expression instead of `p`. */
function put(value: unknown, expression: string): unknown {
  if (value === 'p') return expression
  if (Array.isArray(value)) return value.map((each) => put(each, expression))
  if (!isFields(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name === 'p' ? expression : name, put(each, expression)]),
  )
}

test('property: the remaining schema accepts everything that the original accepts', () => {
  const values = fc.constantFrom<unknown>('', 'a', 'b', 'ab', 1, {}, { a: 'a' }, { a: 'b', b: '' }, { b: 'a' })
  fc.assert(
    fc.property(schemas, values, fc.constantFrom('^a', 'b$', '^$', 'x'), (schema, value, expression) => {
      const whole = put(schema, expression)
      const left = usable(put(schema, UNUSABLE) as JsonDocument).schema
      const accepts = (each: unknown) =>
        runToEnd(new Schemas(true).compile(each as JsonDocument))(value, 1, 'body') === null
      if (accepts(whole)) assert.ok(accepts(left))
    }),
    { numRuns: 60 },
  )
})
