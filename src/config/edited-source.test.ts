import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { stringify } from 'yaml'
import { at } from '../core/value.ts'
import { type Edit, EditError, editedSource, readText } from './edited-source.ts'
import type { Path } from './problems.ts'

const TEXT = `# What the gateway does.
services:
  shop:
    instances: ['http://127.0.0.1:1', 'http://127.0.0.1:2'] # both
    retry:
      attempts: 2 # enough
      budget: 20%
routes:
  # The books.
  - id: books
    match: { path: /books/* }
    service: shop
  - { id: orders, match: { path: /orders/* }, service: shop, policies: { cache: {} } }
  - id: files
    policies:
    service: shop
`

/** What is written at that place. */
function writtenValue(text: string, path: Path): unknown {
  return path.reduce(at, readText(text).data)
}

/** The text after edits: with any line ends, those are kept. */
function edit(...edits: readonly Edit[]): string {
  const after = editedSource(readText(TEXT), edits)
  assert.equal(editedSource(readText(withCrLf(TEXT)), edits), withCrLf(after))
  return after
}

function withCrLf(text: string): string {
  return text.replaceAll('\n', '\r\n')
}

/** What was a line, and what it is now; one that came or went is "". */
function changed(...edits: readonly Edit[]): string[] {
  const [before, after] = [TEXT, edit(...edits)].map((text) => text.split('\n'))
  return [
    ...before!.filter((line) => !after!.includes(line)).map((line) => `-${line}`),
    ...after!.filter((line) => !before!.includes(line)).map((line) => `+${line}`),
  ]
}

test('an edit only changes its own line', () => {
  assert.deepEqual(changed({ path: ['services', 'shop', 'retry', 'attempts'], value: 3 }), [
    '-      attempts: 2 # enough',
    '+      attempts: 3 # enough',
  ])
  assert.deepEqual(changed({ path: ['services', 'shop', 'concurrency'], value: 100 }), ['+    concurrency: 100'])
  assert.deepEqual(changed({ path: ['services', 'shop', 'retry', 'budget'], value: undefined }), ['-      budget: 20%'])
  assert.deepEqual(changed({ path: ['routes', 0, 'timeouts', 'total'], value: '5s' }), ['+    timeouts: { total: 5s }'])
  assert.deepEqual(changed({ path: ['routes', 2, 'policies', 'maintenance'], value: {} }), [
    '-    policies:',
    '+    policies: { maintenance: {} }',
  ])
  assert.deepEqual(changed({ path: ['routes', 1, 'policies', 'rate-limit', 'tiers', 'api_key'], value: '5/s' }), [
    '-  - { id: orders, match: { path: /orders/* }, service: shop, policies: { cache: {} } }',
    '+  - { id: orders, match: { path: /orders/* }, service: shop, policies: { cache: {}, rate-limit: { tiers: { api_key: 5/s } } } }',
  ])
  assert.deepEqual(changed({ path: ['services', 'shop', 'retry'], value: false }), [
    '-    retry:',
    '-      attempts: 2 # enough',
    '-      budget: 20%',
    '+    retry: false',
  ])
  assert.deepEqual(
    changed({ path: ['services', 'shop', 'instances', 1], value: { url: 'http://127.0.0.1:2', weight: 3 } }),
    [
      "-    instances: ['http://127.0.0.1:1', 'http://127.0.0.1:2'] # both",
      "+    instances: ['http://127.0.0.1:1', { url: http://127.0.0.1:2, weight: 3 }] # both",
    ],
  )
  assert.deepEqual(changed({ path: ['routes', 0, 'timeouts', 'total'], value: undefined }), [])
  assert.equal(writtenValue(TEXT, ['services', 'shop', 'retry', 'attempts']), 2)
  assert.equal(writtenValue(TEXT, ['services', 'gone', 'retry']), undefined)
})

test('an edit of a value behind an alias is rejected', () => {
  const text = `usual: &usual { attempts: 2, budget: 10% }\nservices: { shop: { retry: *usual }, till: { retry: *usual } }\n`
  assert.throws(
    () => editedSource(readText(text), [{ path: ['services', 'shop', 'retry', 'attempts'], value: 3 }]),
    EditError,
  )
  const after = editedSource(readText(text), [{ path: ['services', 'shop', 'retry'], value: false }])
  assert.equal(writtenValue(after, ['services', 'till', 'retry', 'attempts']), 2)
})

const names = fc.constantFrom('a', 'b', 'c d', 'e-f')
const values = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom('5s', '1/m', '- x', 'a: b', '#', '', 'two\nlines', 'null', '12'),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(names, tie('value'), { maxKeys: 3 }),
  ),
})).value

test('property: an edit has its effect or is rejected, whatever the layout', () => {
  fc.assert(
    fc.property(
      fc.dictionary(names, values, { minKeys: 1, maxKeys: 4 }),
      fc.array(names, { minLength: 1, maxLength: 3 }),
      fc.option(values, { nil: undefined }),
      fc.constantFrom('flow' as const, 'block' as const, 'any' as const),
      (data, path, value, collectionStyle) => {
        const text = stringify(data, { collectionStyle })
        try {
          const after = editedSource(readText(text), [{ path, value }])
          assert.deepEqual(writtenValue(after, path), value)
        } catch (error) {
          assert.ok(error instanceof EditError, String(error))
        }
      },
    ),
    { numRuns: 2000 },
  )
})
