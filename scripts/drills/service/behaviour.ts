import { z } from 'zod'

/** How an instance behaves; times are milliseconds. */
export const behaviourSchema = z.strictObject({
  /**
   * What becomes of the requests that are hit: answered, the connection reset or closed once the request is there, a
   * status, or a body that breaks off in its middle. `/health` is answered all the same.
   */
  fault: z.enum(['none', 'reset', 'close', 'status', 'truncate']),
  /** Of the fault `status`. */
  status: z.int(),
  /** Part of the requests that the fault hits, from 0 to 1. */
  share: z.number(),
  /** How long a request takes, as a mean: exponentially distributed. */
  mean: z.number(),
  /** Part of the requests that take something between `from` and `to` instead. */
  slow: z.strictObject({ share: z.number(), from: z.number(), to: z.number() }),
  /** Requests that are served at the same time; others wait, and are served even if nobody waits for them any more. */
  slots: z.int(),
  /** Whether connections are accepted; where they are not, those that stand are reset. */
  listening: z.boolean(),
})

export type Behaviour = z.output<typeof behaviourSchema>

/** An instance that is well: 10 ms a request, and never short of slots. */
export const well: Behaviour = {
  fault: 'none',
  status: 200,
  share: 1,
  mean: 10,
  slow: { share: 0, from: 0, to: 0 },
  slots: 1000,
  listening: true,
}

/** What an instance tells: that it listens, or that a POST with this id has come. */
export const reportSchema = z.union([
  z.strictObject({ listening: z.literal(true) }),
  z.strictObject({ delivered: z.string() }),
])

/** The field in which a POST carries its id. */
export const idField = 'x-delivery'

/** Octets of the body of each reply. */
export const replyBytes = 1000
