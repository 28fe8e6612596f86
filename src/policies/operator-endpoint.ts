import type { z } from 'zod'
import type { Logger } from '../core/logger.ts'
import type { RunOnReplicas } from '../core/operation.ts'
import type { OperatorRole } from '../core/operator-role.ts'
import type { Threads } from '../core/threads.ts'

/** What an operator endpoint may use. */
export interface OperatorTools {
  /** All threads of this gateway, for sending questions to them. */
  readonly threads: Threads
  /** Runs an operation from the list in `operators.ts` in this gateway and all gateways that share its Redis. */
  readonly everywhere: RunOnReplicas
  readonly log: Logger
}

/** What an operation may use in one gateway. */
export type OperationTools = Pick<OperatorTools, 'threads' | 'log'>

/** A question or command for a policy from operators: one file beside the policy, and one line in `operators.ts`. */
export interface OperatorEndpoint<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
  Answer extends z.ZodType = z.ZodType,
> {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** With parameters as ":name". */
  readonly path: string
  readonly summary: string
  readonly description?: string
  /** The required role: by default viewer for GET, otherwise admin. */
  readonly role?: OperatorRole
  /** Its group in the documentation. */
  readonly tag: string
  readonly params?: Params
  readonly query?: Query
  readonly body?: Body
  /** Of a successful reply; errors are GatewayErrors. */
  readonly status: 200 | 204
  readonly schema: Answer
  answer(
    input: { readonly params: z.output<Params>; readonly query: z.output<Query>; readonly body: z.output<Body> },
    tools: OperatorTools,
  ): Promise<z.input<Answer>>
}

/** Infers the parameter and result types of `answer`. */
export function defineOperatorEndpoint<
  Params extends z.ZodType,
  Query extends z.ZodType,
  Body extends z.ZodType,
  Answer extends z.ZodType,
>(endpoint: OperatorEndpoint<Params, Query, Body, Answer>): OperatorEndpoint<Params, Query, Body, Answer> {
  return endpoint
}
