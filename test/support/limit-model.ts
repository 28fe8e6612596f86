import assert from 'node:assert/strict'
import type { Algorithm, Quota } from '../../src/policies/rate-limit/meter.ts'

/** A decision on a request, with the time `at` in milliseconds. */
export interface Decided {
  readonly at: number
  readonly cost: number
  readonly admitted: boolean
}

/** The promises of docs/rate-limits.md for each algorithm, checked against all decisions for one client. */
export const promises: Readonly<Record<Algorithm, (decided: readonly Decided[], quota: Quota) => void>> = {
  'fixed-window': checkFixedWindow,
  'sliding-window': checkSlidingWindow,
  'token-bucket': checkTokenBucket,
}

const SLICES = 8

/** A window begins with the first admitted request after the previous one, and admits as many as the limit allows. */
function checkFixedWindow(decided: readonly Decided[], { limit, window }: Quota): void {
  let end = -Infinity
  let used = 0
  for (const { at, cost, admitted } of decided) {
    if (at >= end) used = 0
    assert.equal(admitted, used + cost <= limit, `at ${at}: ${used} of ${limit} used, ${cost} asked for`)
    if (!admitted) continue
    if (at >= end) end = at + window
    used += cost
  }
}

/** No window of that length, wherever it begins, exceeds the limit; used requests are available again after 9/8 of a window. */
function checkSlidingWindow(decided: readonly Decided[], { limit, window }: Quota): void {
  const since = (start: number, until: number): number => sum(decided, (at) => at > start && at <= until)
  for (const [i, { at, cost, admitted }] of decided.entries()) {
    if (admitted) {
      const used = since(at - window, at)
      assert.ok(used <= limit, `${used} within the window that ends at ${at}, the limit is ${limit}`)
      continue
    }
    const start = at - window - window / SLICES
    const used = sum(decided.slice(0, i), (before) => before > start)
    assert.ok(used + cost > limit, `rejected ${cost} at ${at} with ${used} of ${limit} used`)
  }
}

/** The bucket never gives more than it holds, and gives everything it holds. */
function checkTokenBucket(decided: readonly Decided[], { limit, window }: Quota): void {
  const interval = Math.ceil((window * 1000) / limit) / 1000
  for (const [i, first] of decided.entries()) {
    let granted = 0
    for (const { at, cost, admitted } of decided.slice(i)) {
      if (admitted) granted += cost
      const most = limit + (at - first.at) / interval
      assert.ok(granted <= most + 1e-6, `${granted} from ${first.at} to ${at}, the bucket gives at most ${most}`)
    }
  }
  let tokens = limit
  let last = 0
  for (const { at, cost, admitted } of decided) {
    tokens = Math.min(limit, tokens + (at - last) / interval)
    last = at
    // Whole microseconds of the interval may leave a bucket a billionth of a request short.
    assert.equal(admitted, cost <= tokens + 1e-10, `at ${at}: ${tokens} tokens, ${cost} asked for`)
    if (admitted) tokens -= cost
  }
}

function sum(decided: readonly Decided[], during: (at: number) => boolean): number {
  return decided.filter(({ at, admitted }) => admitted && during(at)).reduce((total, { cost }) => total + cost, 0)
}
