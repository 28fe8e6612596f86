import type { z } from 'zod'
import type { Logger } from '../core/logger.ts'
import type { DoEverywhere } from '../core/operation.ts'
import type { OperatorRole } from '../core/operator-role.ts'
import type { Threads } from '../core/threads.ts'

/** What an endpoint for operators may use. */
export interface OperatorTools {
  /** All threads of this gateway, to be asked. */
  readonly threads: Threads
  /** Has this gateway do something, and all that share its Redis: an operation of the list in `operators.ts`. */
  readonly everywhere: DoEverywhere
  readonly log: Logger
}

/** What an operation may use in one gateway. */
export type OperationTools = Pick<OperatorTools, 'threads' | 'log'>

/** What operators may ask of a policy, or have it do: a file beside the policy, and a line in `operators.ts`. */
export interface OperatorEndpoint<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
  Answer extends z.ZodType = z.ZodType,
> {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** With its parameters as ":name". */
  readonly path: string
  readonly summary: string
  readonly description?: string
  /** The role that it needs: viewer by default with GET, else admin. */
  readonly role?: OperatorRole
  /** The group that it stands in in the documentation. */
  readonly tag: string
  readonly params?: Params
  readonly query?: Query
  readonly body?: Body
  /** Of its answer; errors are GatewayErrors. */
  readonly status: 200 | 204
  readonly schema: Answer
  answer(
    asked: { readonly params: z.output<Params>; readonly query: z.output<Query>; readonly body: z.output<Body> },
    tools: OperatorTools,
  ): Promise<z.input<Answer>>
}

/** Gives `answer` the types of what is asked and answered. */
export function defineOperatorEndpoint<
  Params extends z.ZodType,
  Query extends z.ZodType,
  Body extends z.ZodType,
  Answer extends z.ZodType,
>(endpoint: OperatorEndpoint<Params, Query, Body, Answer>): OperatorEndpoint<Params, Query, Body, Answer> {
  return endpoint
}
