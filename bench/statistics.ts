/** The median of several rounds with the minimum and maximum. */
export type Spread = { median: number; min: number; max: number }

/** Median, minimum and maximum of the values; undefined if there are none. */
export function spread(values: number[]): Spread | undefined {
  const sorted = values.toSorted((a, b) => a - b)
  const min = sorted[0]
  const max = sorted.at(-1)
  if (min === undefined || max === undefined) return undefined
  return { median: percentile(sorted, 50), min, max }
}

/** The percentile of sorted values: the median interpolates, others use the nearest rank; NaN if there are none. */
export function percentile(sorted: readonly number[], percent: number): number {
  const rank = (percent / 100) * sorted.length
  const upper = sorted[Math.max(0, Math.ceil(rank) - 1)] ?? Number.NaN
  if (percent !== 50 || !Number.isInteger(rank)) return upper
  return (upper + (sorted[rank] ?? upper)) / 2
}
