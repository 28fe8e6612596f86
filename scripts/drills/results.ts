import { z } from 'zod'

const failures = z.strictObject({
  sent: z.int(),
  failed: z.int(),
  /** Reason -> how many. */
  reasons: z.record(z.string(), z.int()),
})

/** What one drill did to one peer. */
export const resultSchema = z.strictObject({
  drill: z.string(),
  peer: z.string(),
  version: z.string(),
  date: z.iso.datetime(),
  /** Whether it was the short form. */
  short: z.boolean(),
  /** What kept it from being run; then there are no figures. */
  skipped: z.string().nullable(),
  /** Seconds in which things were wrong. */
  seconds: z.number(),
  gets: failures,
  posts: failures.extend({ twice: z.int() }),
  /** Of GETs, in milliseconds. */
  p50: z.number(),
  p99: z.number(),
  max: z.number(),
  /** Seconds from the beginning of the trouble until the first GET began that failed, and the last one; null: none did. */
  firstFailure: z.number().nullable(),
  lastFailure: z.number().nullable(),
  /** Seconds from the end of the trouble until 97% are answered and stay so; null: never. */
  recovery: z.number().nullable(),
  /** GETs answered a second while things were wrong. */
  goodput: z.number(),
  /** How late 99 of 100 GETs began at most, in milliseconds. */
  late: z.number(),
  /** Null where the peer does not tell. */
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

/** Where requests began later than so many milliseconds, the machine was too busy for figures that say something. */
const tooLate = 100

/** Whether the machine had too little time for the drill. */
export function isDoubtful({ late }: Result): boolean {
  return late > tooLate
}

/** The earlier results, but for those that there are new ones of. */
export function merged(earlier: readonly Result[], latest: readonly Result[]): Result[] {
  const isReplaced = ({ drill, peer }: Result): boolean =>
    latest.some((result) => result.drill === drill && result.peer === peer)
  return [...earlier.filter((result) => !isReplaced(result)), ...latest]
}
