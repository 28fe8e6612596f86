import type { Tally, Window } from './events.ts'

/** Statistics of some seconds. */
export interface Rates {
  /** Requests per second. */
  readonly rate: number
  readonly requests: number
  /** Fractions of 4xx and of 5xx or no reply, 0 to 1. */
  readonly refused: number
  readonly failed: number
  /** In milliseconds; null if there were no requests. */
  readonly median: number | null
  readonly p95: number | null
}

/** Number of seconds that the numbers in tables cover. */
const RECENT = 10

/** Windows that cover at least this many seconds count as a minute: each is about a second long. */
const MINUTE = 59

const NONE: Rates = { rate: 0, requests: 0, refused: 0, failed: 0, median: null, p95: null }

/** The statistics of tallies over that many seconds, with those upper bounds of their buckets. */
export function ratesOf(tallies: readonly (Tally | null)[], seconds: number, bounds: readonly number[]): Rates {
  const sum = added(tallies.filter((tally) => tally !== null))
  const requests = sum[0] ?? 0
  if (requests === 0 || seconds <= 0) return NONE
  const buckets = sum.slice(4)
  return {
    rate: requests / seconds,
    requests,
    refused: (sum[1] ?? 0) / requests,
    failed: (sum[2] ?? 0) / requests,
    median: percentile(buckets, bounds, 0.5),
    p95: percentile(buckets, bounds, 0.95),
  }
}

/** The sum of tallies, number by number. */
export function added(tallies: readonly Tally[]): number[] {
  const [first = [], ...others] = tallies
  const sum = [...first]
  for (const tally of others) for (let i = 0; i < tally.length; i++) sum[i] = (sum[i] ?? 0) + (tally[i] ?? 0)
  return sum
}

/** The number of requests, and of those that ended with 4xx, and with 5xx or without a reply. */
export interface Outcomes {
  requests: number
  refused: number
  failed: number
}

/** What was found of windows, which do not change. */
const knownOutcomes = new WeakMap<readonly Window[], ReadonlyMap<string, Outcomes>>()

/** The outcomes of the requests in those windows, by route id. */
export function outcomesOf(windows: readonly Window[]): ReadonlyMap<string, Outcomes> {
  const known = knownOutcomes.get(windows)
  if (known !== undefined) return known
  const outcomes = new Map<string, Outcomes>()
  knownOutcomes.set(windows, outcomes)
  for (const { routes } of windows)
    for (const id of Object.keys(routes)) {
      const [requests = 0, refused = 0, failed = 0] = routes[id] ?? []
      const sum = outcomes.get(id) ?? { requests: 0, refused: 0, failed: 0 }
      outcomes.set(id, sum)
      sum.requests += requests
      sum.refused += refused
      sum.failed += failed
    }
  return outcomes
}

/** The total length of windows in seconds. */
export function secondsOf(windows: readonly Window[]): number {
  return windows.reduce((sum, { seconds }) => sum + seconds, 0)
}

/** The period that windows cover, in words: less than a minute if nobody was watching before, as nothing is counted then. */
export function periodOf(windows: readonly Window[]): string {
  const seconds = Math.max(1, Math.round(secondsOf(windows)))
  return seconds >= MINUTE ? 'in the last minute' : `in the last ${seconds} s`
}

/** The last windows, covering `seconds`. */
export function lately(windows: readonly Window[], seconds = RECENT): readonly Window[] {
  return windows.slice(-seconds)
}

/**
 * The percentile `part` of the durations in milliseconds, assuming that they are evenly distributed within a bucket; for the last bucket,
 * which has no upper bound, its lower one. Null if there were no requests.
 */
export function percentile(buckets: readonly number[], bounds: readonly number[], part: number): number | null {
  const total = buckets.reduce((sum, amount) => sum + amount, 0)
  if (total === 0) return null
  const wanted = total * part
  let before = 0
  for (const [i, amount] of buckets.entries()) {
    const [lower, upper] = [bounds[i - 1] ?? 0, bounds[i]]
    if (before + amount >= wanted && amount > 0)
      return 1000 * (upper === undefined ? lower : lower + ((upper - lower) * (wanted - before)) / amount)
    before += amount
  }
  return 1000 * (bounds.at(-1) ?? 0)
}

/** The total of a counter in those windows, over all labels that `wanted` accepts. */
export function counted(
  windows: readonly Window[],
  name: string,
  wanted: (labels: Readonly<Record<string, string>>) => boolean = () => true,
): number {
  let sum = 0
  for (const { counters } of windows)
    for (const [key, amount] of Object.entries(counters))
      if (key.startsWith(`${name}{`) && wanted(labelsOf(key))) sum += amount
  return sum
}

/** The total of a counter in those windows, by one of its labels, largest first. */
export function countedBy(windows: readonly Window[], name: string, label: string): [string, number][] {
  const sums = new Map<string, number>()
  for (const { counters } of windows)
    for (const [key, amount] of Object.entries(counters)) {
      if (!key.startsWith(`${name}{`)) continue
      const value = labelsOf(key)[label] ?? ''
      sums.set(value, (sums.get(value) ?? 0) + amount)
    }
  return [...sums].toSorted((a, b) => b[1] - a[1])
}

function labelsOf(key: string): Record<string, string> {
  const pairs = key.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)
  return Object.fromEntries(Array.from(pairs, ([, name = '', value = '']) => [name, value.replace(/\\(.)/g, '$1')]))
}
