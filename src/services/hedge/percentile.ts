import { bucketOf, DURATION_BUCKETS, valueAt } from '../duration-buckets.ts'

/** Length of half a window, in milliseconds. Durations that ended in the current half or the previous one count. */
const HALF = 30_000
/** Minimum number of durations for a result. */
const MIN = 50
/** How long a computed result is reused, in milliseconds. */
const FRESH = 250

/** A percentile of request durations in one thread, over the last 30 to 60 seconds. */
export class Percentile {
  readonly part: number
  private counts = new Int32Array(DURATION_BUCKETS)
  private before = new Int32Array(DURATION_BUCKETS)
  private count = 0
  private countBefore = 0
  private half = 0
  private value = Number.POSITIVE_INFINITY
  private until = Number.NEGATIVE_INFINITY

  /** `part` is the percentile as a fraction from 0 to 1. */
  constructor(part: number) {
    this.part = part
  }

  /** Adds a duration that ended at `now`, both in milliseconds (`now` monotonic). */
  add(ms: number, now: number): void {
    this.enter(now)
    this.counts[bucketOf(ms)]!++
    this.count++
  }

  /** The percentile at that time, in milliseconds; Infinity if there are too few durations. */
  at(now: number): number {
    if (now < this.until) return this.value
    this.enter(now)
    this.until = now + FRESH
    this.value = this.find()
    return this.value
  }

  private find(): number {
    const total = this.count + this.countBefore
    if (total < MIN) return Number.POSITIVE_INFINITY
    // A product such as 100 * 0.55 may slightly exceed its exact value.
    const target = Math.ceil(total * this.part - 1e-9)
    let below = 0
    for (let i = 0; i < DURATION_BUCKETS; i++) {
      const here = this.counts[i]! + this.before[i]!
      if (below + here >= target) return valueAt(i, (target - below) / here)
      below += here
    }
    return Number.POSITIVE_INFINITY
  }

  private enter(now: number): void {
    const half = Math.floor(now / HALF)
    if (half === this.half) return
    const { counts, before } = this
    const next = half === this.half + 1
    this.before = counts
    this.countBefore = this.count
    this.counts = before.fill(0)
    this.count = 0
    this.half = half
    if (next) return
    this.before.fill(0)
    this.countBefore = 0
  }
}
