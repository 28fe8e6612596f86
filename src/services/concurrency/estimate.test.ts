import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { ESTIMATE_CELLS, LimitEstimate } from './estimate.ts'

const bounds = { floor: 100, tolerance: 2, most: 2_000 }

function make(): LimitEstimate {
  return new LimitEstimate(new Float64Array(ESTIMATE_CELLS))
}

/** Looks at the same window so often, a tenth of a second apart, and tells the limits after each. */
function looks(
  estimate: LimitEstimate,
  from: number,
  count: number,
  window: (limit: number) => { median: number; peak: number; failing?: boolean },
): number[] {
  return Array.from({ length: count }, (_, i) => {
    estimate.learn({ now: from + i * 100, failing: false, ...window(estimate.limit(bounds)) }, bounds)
    return Math.round(estimate.limit(bounds))
  })
}

test('the limit starts at the floor, and grows while it is used and requests get no slower', () => {
  const estimate = make()
  assert.equal(estimate.limit(bounds), 100)
  assert.deepEqual(
    looks(estimate, 0, 4, (limit) => ({ median: 40, peak: limit })),
    [150, 225, 338, 506],
  )
})

test('the limit does not grow if less than half of it is used', () => {
  assert.deepEqual(
    looks(make(), 0, 3, () => ({ median: 40, peak: 49 })),
    [100, 100, 100],
  )
})

test('the limit never exceeds its maximum', () => {
  assert.equal(looks(make(), 0, 50, (limit) => ({ median: 40, peak: limit })).at(-1), 2_000)
})

test('before the first completed request, the limit grows with the requests in flight', () => {
  const estimate = make()
  estimate.look(50, bounds)
  assert.equal(estimate.limit(bounds), 150)
  estimate.look(60, bounds)
  assert.equal(estimate.limit(bounds), 150)
})

test('the limit falls while requests queue in the service, until they no longer do', () => {
  const estimate = make()
  looks(estimate, 0, 7, (limit) => ({ median: 40, peak: limit }))
  // 200 at a time take 40 ms; each further one has the others wait.
  const limits = looks(estimate, 1_000, 100, (limit) => ({ median: Math.max(40, limit / 5), peak: limit }))
  assert.ok(Math.min(...limits) >= 100)
  assert.ok(
    limits.slice(50).every((limit) => limit <= 700),
    limits.join(' '),
  )
})

test('if lowering the limit does not help, it is restored: the work takes longer now', () => {
  const estimate = make()
  looks(estimate, 0, 5, (limit) => ({ median: 40, peak: limit }))
  const limits = looks(estimate, 1_000, 30, (limit) => ({ median: 200, peak: Math.min(limit, 1_000) }))
  assert.ok(limits.includes(2_000), limits.join(' '))
  assert.equal(Math.round(estimate.usual), 200)
})

test('at the floor, adapting to slower work takes a minute', () => {
  const estimate = make()
  looks(estimate, 0, 1, () => ({ median: 40, peak: 10 }))
  looks(estimate, 1_000, 600, () => ({ median: 200, peak: 100 }))
  assert.equal(estimate.usual, 40)
  looks(estimate, 61_000, 5, () => ({ median: 200, peak: 100 }))
  assert.ok(estimate.usual >= 200)
})

test('failed and aborted requests do not change the usual duration', () => {
  const estimate = make()
  looks(estimate, 0, 5, (limit) => ({ median: 40, peak: limit }))
  const limits = looks(estimate, 1_000, 1_200, (limit) => ({ median: 1_000, peak: limit, failing: true }))
  assert.equal(limits.at(-1), 100)
  assert.ok(estimate.usual < 41)
})

test('a few slow requests do not lower the limit', () => {
  const estimate = make()
  looks(estimate, 0, 3, (limit) => ({ median: 40, peak: limit }))
  assert.deepEqual(
    looks(estimate, 1_000, 20, () => ({ median: 4_000, peak: 20 })),
    Array.from({ length: 20 }, () => 338),
  )
})

test('property: the limit is a number within its bounds', () => {
  const window = fc.record({
    median: fc.double({ min: 0.0625, max: 300_000, noNaN: true }),
    peak: fc.nat(5_000),
    failing: fc.boolean(),
    pause: fc.nat(100_000),
  })
  fc.assert(
    fc.property(fc.array(window, { maxLength: 200 }), (windows) => {
      const estimate = make()
      let now = 0
      for (const { pause, ...each } of windows) {
        now += pause
        estimate.learn({ ...each, now }, bounds)
        const limit = estimate.limit(bounds)
        assert.ok(limit >= 100 && limit <= 2_000 && estimate.usual > 0)
      }
    }),
  )
})
