import assert from 'node:assert/strict'
import test from 'node:test'
import { z } from 'zod'
import { policies } from '../../policies/index.ts'
import { gatewaySchemaFor } from '../own-policies.ts'
import { formatPath, type Path } from '../problems.ts'
import { unitsOf } from './units.ts'
import { writtenValue } from './written-value.ts'

const unitAt = unitsOf(policies)

/** What numbers are written as, somewhere in a configuration. */
const TEXTS = ['0s', '250ms', '90s', '32kb', '1mb', '29%', '10/s', '365d', '2027-01-31T12:00:00Z']

/** All options of a configuration, some of them more than once, as there may be several forms of one. */
function* optionsOf(schema: unknown, path: Path = []): Iterable<readonly [Path, z.ZodType]> {
  if (schema instanceof z.ZodUnion) for (const option of schema.options) yield* optionsOf(option, path)
  else if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault
  )
    yield* optionsOf(schema.unwrap(), path)
  else if (schema instanceof z.ZodObject)
    for (const [key, field] of Object.entries(schema.shape)) yield* optionsOf(field, [...path, key])
  else if (schema instanceof z.ZodRecord) yield* optionsOf(schema.valueType, [...path, 'key'])
  else if (schema instanceof z.ZodArray) yield* optionsOf(schema.element, [...path, 0])
  else if (schema instanceof z.ZodPipe) {
    yield [path, schema]
    for (const part of [schema.in, schema.out]) yield* optionsOf(part, path)
  }
}

test('each number that is written as a text is shown as such a text', () => {
  const shown = new Set<string>()
  for (const [path, schema] of optionsOf(gatewaySchemaFor(policies)))
    for (const text of TEXTS) {
      const { data } = schema.safeParse(text)
      if (typeof data !== 'number') continue
      const written = writtenValue(data, path, unitAt)
      assert.equal(typeof written, 'string', `${formatPath(path)}: ${text}`)
      assert.equal(schema.parse(written), data, `${formatPath(path)}: ${text}`)
      shown.add(text)
    }
  assert.deepEqual([...shown].toSorted(), TEXTS.toSorted())
})

test('a number is written in the largest unit that divides it', () => {
  const written = (number: number, ...path: Path): unknown => writtenValue(number, path, unitAt)
  assert.deepEqual(
    [0, 1500, 90_000, 3_600_000].map((number) => written(number, 'drainTimeout')),
    ['0s', '1500ms', '90s', '1h'],
  )
  assert.deepEqual(
    [1000, 2048, 1_048_576].map((number) => written(number, 'limits', 'head')),
    ['1000b', '2kb', '1mb'],
  )
  assert.equal(written(0.29, 'routes', 0, 'mirror', 0, 'share'), '29%')
  assert.equal(written(3, 'workers'), 3)
})

test('rates are written as one, as several, or as none', () => {
  for (const path of [
    ['policies', 'rate-limit', 'tiers', 'api_key'],
    ['routes', 0, 'policies', 'rate-limit', 'tiers', 'internal'],
    ['policies', 'rate-limit', 'consumers', 'partner'],
    ['policies', 'auth', 'failures'],
  ])
    for (const [value, written] of [
      [[], false],
      [['10/s'], '10/s'],
      [
        ['10/s', '1000/h'],
        ['10/s', '1000/h'],
      ],
    ])
      assert.deepEqual(writtenValue(value, path, unitAt), written, formatPath(path))
  assert.deepEqual(writtenValue([], ['trustedProxies'], unitAt), [])
})

test('numbers of a JSON Schema have no unit, even where a size may be instead', () => {
  const schema = { type: 'array', minItems: 1, items: { minimum: 3_600_000 } }
  const body = { limit: 65_536, schema }
  const written = writtenValue(body, ['policies', 'validation', 'body'], unitAt)
  assert.deepEqual(written, { limit: '64kb', schema })
})
