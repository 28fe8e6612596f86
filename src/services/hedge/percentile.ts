import { bucketOf, DURATION_BUCKETS, valueAt } from '../duration-buckets.ts'

/** What counts is what ended in this half of a window and in the one before: so many milliseconds each. */
const HALF = 30_000
/** With fewer of them nothing is known. */
const LEAST = 50
/** For how long, in milliseconds, what was found out holds. */
const FRESH = 250

/** How long requests take at most but for some, in one thread, of those of the last half minute or minute. */
export class Percentile {
  private readonly part: number
  private counts = new Int32Array(DURATION_BUCKETS)
  private before = new Int32Array(DURATION_BUCKETS)
  private count = 0
  private countBefore = 0
  private half = 0
  private value = Number.POSITIVE_INFINITY
  private until = Number.NEGATIVE_INFINITY

  /** So large a part of them, from 0 to 1, takes no longer. */
  constructor(part: number) {
    this.part = part
  }

  /** One took so many milliseconds, and ended at that time: in monotonic milliseconds. */
  add(ms: number, now: number): void {
    this.enter(now)
    this.counts[bucketOf(ms)]!++
    this.count++
  }

  /** What it is at that time, in milliseconds; Infinity while there were too few. */
  at(now: number): number {
    if (now < this.until) return this.value
    this.enter(now)
    this.until = now + FRESH
    this.value = this.find()
    return this.value
  }

  private find(): number {
    const total = this.count + this.countBefore
    if (total < LEAST) return Number.POSITIVE_INFINITY
    // A product such as 100 * 0.55 is a little more than what it stands for.
    const wanted = Math.ceil(total * this.part - 1e-9)
    let below = 0
    for (let i = 0; i < DURATION_BUCKETS; i++) {
      const here = this.counts[i]! + this.before[i]!
      if (below + here >= wanted) return valueAt(i, (wanted - below) / here)
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
