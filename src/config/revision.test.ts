import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { isDeepStrictEqual } from 'node:util'
import { parseConfig } from './parse.ts'
import { revising, revisionOf } from './revision.ts'

const of = (value: unknown, files: Readonly<Record<string, string>> = {}) =>
  revisionOf(parseConfig(value), new Map(Object.entries(files)))
const route = (id: string) => ({ id, match: { path: `/${id}` }, service: 'a' })
const base = { services: { a: { instances: ['http://a:1'] }, b: { instances: ['http://b:1'] } }, routes: [route('x')] }

test('equivalent configurations have the same revision', () => {
  const { a, b } = base.services
  assert.match(of(base), /^[0-9a-f]{64}$/)
  assert.equal(of({ routes: base.routes, services: { b, a }, drainTimeout: '30000ms' }), of(base))
})

for (const [what, change] of [
  ['a secret', { secrets: ['s'.repeat(32)] }],
  ['a duration', { drainTimeout: '31s' }],
  ['a route', { routes: [route('y')] }],
  ['the order of instances', { services: { a: { instances: ['http://a:2', 'http://a:1'] } } }],
] as const)
  test(`another value of ${what} changes the revision`, () => {
    assert.notEqual(of({ ...base, ...change }), of(base))
  })

test('the revision includes the content of referenced files, in any order', () => {
  const revisions = [{}, { '/a.ts': 'one' }, { '/a.ts': 'two' }, { '/b.ts': 'one' }].map((files) => of(base, files))
  assert.equal(new Set(revisions).size, 4)
  assert.equal(of(base, { '/a.ts': 'one', '/b.ts': 'two' }), of(base, { '/b.ts': 'two', '/a.ts': 'one' }))
})

test('the same bytes in different typed arrays have different revisions', () => {
  const config = parseConfig(base)
  const revisions = [new Uint8Array(2), new Int8Array(2), new Uint16Array(1), new ArrayBuffer(2)].map((own) =>
    revisionOf({ ...config, policies: Object.assign({}, config.policies, { own }) }, new Map()),
  )
  assert.equal(new Set(revisions).size, 4)
})

test('property: two values have the same revision if and only if they are equal', () => {
  const config = parseConfig(base)
  // Options of a custom policy.
  const revision = (own: unknown) =>
    revisionOf({ ...config, policies: Object.assign({}, config.policies, { own }) }, new Map())
  const value = fc.anything({
    withMap: true,
    withSet: true,
    withDate: true,
    withBigInt: true,
    withTypedArray: true,
    maxDepth: 3,
  })
  fc.assert(
    fc.property(value, value, (a, b) => {
      assert.equal(revision(structuredClone(a)), revision(a))
      if (!isDeepStrictEqual({ a }, { a: b }) && !hasHoles(a) && !hasHoles(b)) assert.notEqual(revision(a), revision(b))
    }),
  )
})

/** What is not the same for isDeepStrictEqual, and is here: a key without a value, 0 and -0, the order in sets and maps. */
function hasHoles(value: unknown): boolean {
  if (value === undefined || Object.is(value, -0)) return true
  if (value instanceof Map || value instanceof Set) return [...value].flat().some(hasHoles)
  return typeof value === 'object' && value !== null && Object.values(value).some(hasHoles)
}

test('large values used many times are distinguished, and hashed once', () => {
  const config = parseConfig(base)
  const document = { text: 'x'.repeat(1_000_000) }
  const many = (last: object) => ({ own: [...Array.from({ length: 2000 }, () => document), last] })
  const revision = (last: object) =>
    revisionOf({ ...config, policies: Object.assign({}, config.policies, many(last)) }, new Map())
  assert.equal(revision({ ...document }), revision(document))
  assert.notEqual(revision({ text: `${'x'.repeat(999_999)}y` }), revision(document))
})

test('circular options have a revision', () => {
  const own: Record<string, unknown> = { a: 1 }
  own['self'] = own
  const config = parseConfig(base)
  assert.match(
    revisionOf({ ...config, policies: Object.assign({}, config.policies, { own }) }, new Map()),
    /^[0-9a-f]{64}$/,
  )
})

test('the revision of thousands of routes is computed in steps, with the same result', () => {
  const routes = Array.from({ length: 1000 }, (_, i) => route(`r${i}`))
  const config = parseConfig({ ...base, routes })
  const steps = revising(config, new Map())
  let count = 0
  let step = steps.next()
  for (; step.done !== true; step = steps.next()) count++
  assert.equal(count, 10)
  assert.equal(step.value, revisionOf(config, new Map()))
  for (const other of [routes.toReversed(), routes.with(999, route('other'))])
    assert.notEqual(of({ ...base, routes: other }), step.value)
})
