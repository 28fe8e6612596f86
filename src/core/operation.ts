import { z } from 'zod'

/** Something that operators have a gateway do, and with it all that share its Redis. What is asked and what comes of it is JSON. */
export interface Operation<Asked, Result extends object> {
  /** The same in all versions of the gateway. */
  readonly name: string
  /** What another gateway may ask: anything else is dropped. */
  readonly asked: z.ZodType<Asked>
  readonly result: z.ZodType<Result>
  /** It changes nothing: the log of a gateway that is asked does not tell of it. Default false. */
  readonly readsOnly?: boolean
}

/** Gives an operation the types of its schemas. */
export function defineOperation<Asked, Result extends object>(
  operation: Operation<Asked, Result>,
): Operation<Asked, Result> {
  return operation
}

/** What became of an operation in one gateway. */
export interface ReplicaReport {
  readonly name: string
  /** It is the one that the operator has asked. */
  readonly asked: boolean
  /** Why it was not done there; null where it was. */
  readonly problem: string | null
}

/** What became of an operation in all gateways. */
export interface Everywhere<Result> {
  /** Of those that have done it, the first of them of the gateway that was asked. */
  readonly results: readonly [Result, ...Result[]]
  /** Those that have answered, the one that was asked first. */
  readonly replicas: readonly ReplicaReport[]
  /** Why there may be others that have not; null where there are none. */
  readonly unreached: string | null
}

/** Does an operation here, and has the others do it. Rejects, and asks nobody else, where it cannot be done here. */
export type DoEverywhere = <Asked, Result extends object>(
  operation: Operation<Asked, Result>,
  asked: Asked,
) => Promise<Everywhere<Result>>

/** How answers tell of it. */
export const everywhereShape = {
  replicas: z
    .object({
      name: z.string().describe('Host and process.'),
      asked: z.boolean().describe('Whether it is the one that got the request.'),
      problem: z.string().nullable().describe('Why it was not done there; null where it was.'),
    })
    .array()
    .readonly()
    .describe('The gateways that have answered: those that share the Redis of the configuration, else this one.'),
  unreached: z.string().nullable().describe('Why others may not have done it; null where all have answered.'),
}

/** The part of an answer that says which gateways have answered. */
export function tellEverywhere({ replicas, unreached }: Everywhere<unknown>) {
  return { replicas, unreached }
}
