/** Buckets per doubling: a value is known to within 4.5%. */
const PER_DOUBLING = 8
/** The first bucket ends at 2^-4 ms, the last one starts at 2^18 ms, about four minutes. */
const FIRST = -4
const LAST = 18

/** Number of buckets. */
export const DURATION_BUCKETS = (LAST - FIRST) * PER_DOUBLING + 2

/** The bucket of a duration in milliseconds. */
export function bucketOf(ms: number): number {
  if (!(ms > 2 ** FIRST)) return 0
  return Math.min(DURATION_BUCKETS - 1, 1 + Math.floor((Math.log2(ms) - FIRST) * PER_DOUBLING))
}

/** The value below which the given fraction of the bucket lies, in milliseconds. */
export function valueAt(bucket: number, part: number): number {
  if (bucket === 0) return 2 ** FIRST
  return 2 ** (FIRST + (bucket - 1 + part) / PER_DOUBLING)
}
