import { z } from 'zod'

/** An action that operators can run on a gateway and, through it, on all gateways that share its Redis. Arguments and results are JSON. */
export interface Operation<Arguments, Result extends object> {
  /** Must be the same in all versions of the gateway. */
  readonly name: string
  /** What another gateway may send as arguments; anything else is dropped. */
  readonly arguments: z.ZodType<Arguments>
  readonly result: z.ZodType<Result>
  /** The operation changes nothing, so gateways do not log it. Default false. */
  readonly readsOnly?: boolean
}

/** Infers an operation's types from its schemas. */
export function defineOperation<Arguments, Result extends object>(
  operation: Operation<Arguments, Result>,
): Operation<Arguments, Result> {
  return operation
}

/** Result of an operation in one gateway. */
export interface ReplicaReport {
  readonly name: string
  /** Whether this is the gateway that received the request. */
  readonly self: boolean
  /** Why it failed there; null if it succeeded. */
  readonly problem: string | null
}

/** Result of an operation in all gateways. */
export interface ReplicaResults<Result> {
  /** Of the gateways where it succeeded; the first is that of the gateway the operator called. */
  readonly results: readonly [Result, ...Result[]]
  /** Gateways that replied; the one the operator called comes first. */
  readonly replicas: readonly ReplicaReport[]
  /** Why other gateways may not have run it; null if there are none. */
  readonly unreached: string | null
}

/** Runs an operation here, then on the other gateways. If it fails here, rejects without asking the others. */
export type RunOnReplicas = <Arguments, Result extends object>(
  operation: Operation<Arguments, Result>,
  input: Arguments,
) => Promise<ReplicaResults<Result>>

/** Schema shape for reporting this in API responses. */
export const replicasShape = {
  replicas: z
    .object({
      name: z.string().describe('Host and process.'),
      self: z.boolean().describe('Whether it is the gateway that received this request.'),
      problem: z.string().nullable().describe('Why it was not done there; null if it was.'),
    })
    .array()
    .readonly()
    .describe('The gateways that have answered: those that share the Redis of the configuration, else this one.'),
  unreached: z.string().nullable().describe('Why others may not have done it; null if all have answered.'),
}

/** The part of an API response that lists which gateways replied. */
export function replicasOf({ replicas, unreached }: ReplicaResults<unknown>) {
  return { replicas, unreached }
}
