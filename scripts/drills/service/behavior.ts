import { z } from 'zod'

/** How an instance behaves; times are in milliseconds. */
export const behaviorSchema = z.strictObject({
  /**
   * What happens to affected requests: they are answered, the connection is reset or closed once the request has arrived, they get an error
   * status, or a body that is cut off in the middle. `/health` is answered in any case.
   */
  fault: z.enum(['none', 'reset', 'close', 'status', 'truncate']),
  /** For the fault `status`. */
  status: z.int(),
  /** Fraction of the requests that the fault affects, from 0 to 1. */
  share: z.number(),
  /** The mean duration of a request; exponentially distributed. */
  mean: z.number(),
  /** Fraction of the requests that take between `from` and `to` instead. */
  slow: z.strictObject({ share: z.number(), from: z.number(), to: z.number() }),
  /** Number of requests that are served at the same time; others wait, and are served even if the client has gone. */
  slots: z.int(),
  /** Whether connections are accepted; if not, existing ones are reset. */
  listening: z.boolean(),
})

export type Behavior = z.output<typeof behaviorSchema>

/** A healthy instance: 10 ms per request, and never short of slots. */
export const well: Behavior = {
  fault: 'none',
  status: 200,
  share: 1,
  mean: 10,
  slow: { share: 0, from: 0, to: 0 },
  slots: 1000,
  listening: true,
}

/** A report of an instance: that it is listening, or that a POST with this id has arrived. */
export const reportSchema = z.union([
  z.strictObject({ listening: z.literal(true) }),
  z.strictObject({ delivered: z.string() }),
])

/** The header that contains the id of a POST. */
export const idField = 'x-delivery'

/** Size of each reply's body in bytes. */
export const replyBytes = 1000
