import assert from 'node:assert/strict'
import test from 'node:test'
import { configJsonSchema } from '../../src/config/json-schema.ts'
import { fieldOf, isFields, itemsOf } from '../../src/core/value.ts'
import { configReference } from './page.ts'

const schema = configJsonSchema()
const page = configReference(schema)
const rows = Array.from(
  page.matchAll(/^\| (`+) ?([^`]+?) ?\1 \| (.*?) \| (.*?) \| (.*?) \| (.*) \|$/gm),
  ([, , key = '', value = '', byDefault = '', example = '', meaning = '']) => ({
    key,
    value,
    byDefault,
    example,
    meaning,
  }),
)

test('the reference has every key of the schema', () => {
  const names = new Set(rows.map(({ key }) => key.split(/[.[]/).at(-1)))
  const missing = [...namesIn(schema)].filter((name) => !names.has(name))
  assert.deepEqual(missing, [])
})

test('each key has its values, default and meaning, and an example unless it is a map', () => {
  assert.ok(rows.length > 400)
  for (const { key, value, byDefault, example, meaning } of rows) {
    assert.ok(value !== '' && byDefault !== '' && meaning !== '', key)
    assert.ok(example !== '' || /\bmaps?\b/.test(value), `${key} has no example`)
  }
})

for (const [key, value, example] of [
  ['drainTimeout', 'duration or `0s`', 'drainTimeout: 30s'],
  ['propagation', 'duration', 'propagation: 2m'],
  ['hedge.budget', 'percentage', 'budget: 5%'],
] as const)
  test(`the value of ${key} is a ${value}, and its example the default`, () => {
    const row = rows.find((each) => each.key === key || each.key.endsWith(`.${key}`))
    assert.deepEqual([row?.value, row?.example], [value, `\`${example}\``])
  })

test('sections have unique headings, and the table of contents links to those at the top level', () => {
  const headings = Array.from(page.matchAll(/^#{2,} `?([^`\n]+)`?$/gm), ([, title = '']) => title)
  assert.equal(new Set(headings).size, headings.length)
  for (const name of Object.keys(schema['properties'] ?? {}).filter((key) =>
    isFields(fieldOf(fieldOf(schema, 'properties'), key)),
  ))
    assert.ok(
      rows.some(({ key }) => key === name),
      name,
    )
})

function namesIn(part: unknown, names = new Set<string>()): Set<string> {
  const properties = fieldOf(part, 'properties')
  const fields = isFields(properties) ? properties : {}
  for (const name of Object.keys(fields)) names.add(name)
  const below = [...Object.values(fields), ...itemsOf(fieldOf(part, 'anyOf'))]
  for (const each of [...below, fieldOf(part, 'items'), fieldOf(part, 'additionalProperties')])
    if (isFields(each)) namesIn(each, names)
  return names
}
