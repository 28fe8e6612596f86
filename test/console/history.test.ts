/** The last minute, as the gateway sends it and as the console reads it. */
import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { type Counts, History } from '../../src/admin/live/history.ts'
import type * as shown from '../../src/console/events.ts'
import { windowsOf } from '../../src/console/history.ts'

const names = fc.constantFrom('a', 'b', 'the "quoted" one')
const amount = fc.nat({ max: 3 })
/** Requests without a bucket, with 4xx, with 5xx, then the buckets, the last of which is not empty; at least one request. */
const tally = fc
  .tuple(fc.nat({ max: 2 }), amount, amount, fc.array(amount, { maxLength: 4 }), fc.integer({ min: 1, max: 9 }))
  .map(([unmeasured, refused, failed, buckets, last]) => {
    const all = buckets.concat(last)
    return [all.reduce((sum, count) => sum + count, unmeasured), refused, failed, 0].concat(all)
  })
const window = fc.record({
  routes: fc.dictionary(names, tally),
  instances: fc.dictionary(names, fc.dictionary(names, tally, { minKeys: 1 })),
  listeners: fc.dictionary(names, fc.integer({ min: 1, max: 9 })),
  counters: fc.dictionary(names, fc.integer({ min: 1, max: 9 })),
})
type Window = Pick<shown.Window, keyof Counts>

function countsOf({ routes, instances, listeners, counters }: Window): Counts {
  const inJson = <Value>(all: Readonly<Record<string, Value>>): Map<string, Value> =>
    new Map(Object.entries(all).map(([name, value]) => [JSON.stringify(name), value]))
  const services = Object.fromEntries(Object.entries(instances).map(([name, all]) => [name, inJson(all)]))
  return {
    routes: inJson(routes),
    instances: inJson(services),
    listeners: inJson(listeners),
    counters: inJson(counters),
  }
}

/** Without what is empty: a history names everything that it has numbers of, in each window. */
function comparable({ at, seconds, routes, instances, listeners, counters }: shown.Window) {
  const sorted = <Value>(all: Readonly<Record<string, Value>>) =>
    Object.entries(all).toSorted(([a], [b]) => (a < b ? -1 : 1))
  const withoutZeros = (numbers: shown.Tally): number[] => numbers.slice(0, numbers.findLastIndex((n) => n > 0) + 1)
  const tallies = (all: Readonly<Record<string, shown.Tally>>) =>
    sorted(all).map(([name, numbers]) => [name, withoutZeros(numbers)])
  const services = sorted(instances).map(([name, all]) => [name, tallies(all)])
  const busy = services.filter(([, all]) => all!.length > 0)
  return JSON.stringify([at, seconds, tallies(routes), busy, sorted(listeners), sorted(counters)])
}

test('the console reads from a history the windows that it was made of, those of the last minute', () => {
  fc.assert(
    fc.property(fc.array(window, { maxLength: 130 }), fc.nat({ max: 140 }), (windows, oldest) => {
      const history = new History()
      for (const [i, each] of windows.entries()) history.add(i, 1, countsOf(each))
      const read = windowsOf(JSON.parse(history.after(oldest)) as shown.History)
      const expected = windows.map((each, at) => ({ at, seconds: 1, ...each })).filter(({ at }) => at > oldest)
      assert.deepEqual(read.map(comparable), expected.slice(-60).map(comparable))
    }),
  )
})

test('the names in a history may be those that every object has', () => {
  for (const name of ['constructor', '__proto__']) {
    const columns = Object.fromEntries([[name, [[0, 3]]]])
    const history = { at: [2], seconds: [1], routes: columns, instances: {}, listeners: columns, counters: {} }
    const [read] = windowsOf(history)
    assert.deepEqual(Object.entries(read!.routes), [[name, [3, 0]]])
    assert.deepEqual(Object.entries(read!.listeners), [[name, 3]])
  }
  assert.deepEqual([Object.keys(Object), Object.keys(Object.prototype)], [[], []])
})
