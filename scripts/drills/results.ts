import { z } from 'zod'

const failures = z.strictObject({
  sent: z.int(),
  failed: z.int(),
  /** Reason -> count. */
  reasons: z.record(z.string(), z.int()),
})

/** The result of one drill for one peer. */
export const resultSchema = z.strictObject({
  drill: z.string(),
  peer: z.string(),
  version: z.string(),
  date: z.iso.datetime(),
  /** Whether it was the short form. */
  short: z.boolean(),
  /** Why it was not run; in that case there are no figures. */
  skipped: z.string().nullable(),
  /** The length of the trouble in seconds. */
  seconds: z.number(),
  gets: failures,
  posts: failures.extend({ twice: z.int() }),
  /** Of GETs, in milliseconds. */
  p50: z.number(),
  p99: z.number(),
  max: z.number(),
  /** Seconds from the beginning of the trouble until the first and the last failed GET started; null if none failed. */
  firstFailure: z.number().nullable(),
  lastFailure: z.number().nullable(),
  /** Seconds from the end of the trouble until 97% are answered permanently; null if never. */
  recovery: z.number().nullable(),
  /** GETs answered per second during the trouble. */
  goodput: z.number(),
  /** The 99th percentile of the GETs' delay at the start, in milliseconds. */
  late: z.number(),
  /** Null if the peer does not report it. */
  ejections: z.int().nullable(),
  shed: z.int().nullable(),
})

export type Result = z.output<typeof resultSchema>

/** docs/resilience.json: the latest result of each drill and peer. */
export const resultsSchema = z.strictObject({
  machine: z.array(z.tuple([z.string(), z.string()])),
  results: z.array(resultSchema),
})

export type Results = z.output<typeof resultsSchema>

/** Beyond this delay at the start, in milliseconds, the machine was too busy for meaningful figures. */
const tooLate = 100

/** Whether the machine was too busy for the drill. */
export function isDoubtful({ late }: Result): boolean {
  return late > tooLate
}

/** The earlier results, replaced by the latest ones where there are any. */
export function merged(earlier: readonly Result[], latest: readonly Result[]): Result[] {
  const isReplaced = ({ drill, peer }: Result): boolean =>
    latest.some((result) => result.drill === drill && result.peer === peer)
  return [...earlier.filter((result) => !isReplaced(result)), ...latest]
}
