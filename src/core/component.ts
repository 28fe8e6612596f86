import type { z } from 'zod'
import type { ApiKeys } from './api-keys.ts'
import type { DocumentedOperation, PolicyDocs } from './api-docs.ts'
import type { Bytes } from './body.ts'
import type { Caches } from './cache.ts'
import type { Clock } from './clock.ts'
import type { RouteInfo } from './exchange.ts'
import type { Middleware } from './handler.ts'
import type { Headers } from './headers.ts'
import type { Limits } from './limits.ts'
import type { Logger } from './logger.ts'
import type { Metrics } from './metrics.ts'

/** What a component may use; handed to its `create`. */
export interface Toolbox {
  readonly clock: Clock
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly log: Logger
}

/** What a policy may use besides. */
export interface PolicyToolbox extends Toolbox {
  /**
   * Sends a request of the gateway's own to a healthy instance of a service and resolves with the whole reply.
   * Rejects with a GatewayError when none answers in time, and with an Error when there is no such service.
   */
  readonly callService: (service: string, request: ServiceRequest) => Promise<ServiceReply>
  /** Counts requests, for all threads of the process, or in Redis for all processes. */
  readonly limits: Limits
  /** What stored replies are kept in. */
  readonly caches: Caches
  /** API keys in Redis; null where none is configured. */
  readonly apiKeys: ApiKeys | null
  /** Hands out the gateway's metrics, to be asked for in `create`. */
  readonly metrics: Metrics
}

/** A request that the gateway makes itself, for nobody's exchange. */
export interface ServiceRequest {
  readonly method: string
  /** Path and query. */
  readonly target: string
  readonly headers: Headers
  readonly body: Bytes | null
  /** Until the reply is complete, in milliseconds. */
  readonly timeout: number
  /** Octets that its body may have. */
  readonly limit: number
  /** Ends it early. */
  readonly signal?: AbortSignal
}

/** What came back. */
export interface ServiceReply {
  readonly status: number
  readonly headers: Headers
  readonly body: Bytes
}

/**
 * Options of policies of the user's own by their names, as they are written: extend it, and configurations in TypeScript
 * know them, as in `declare module 'sallyport' { interface OwnPolicies { tenant: { header?: string } } }`.
 */
export interface OwnPolicies {}

/** Something to be known about options. */
export interface OptionsWarning {
  /** Steps from the options to where it is. */
  readonly path: readonly string[]
  readonly message: string
}

/** A kind of step around a request: one file in policies/ and one line in policies/index.ts. */
export interface Policy<Schema extends z.ZodType = z.ZodType, Name extends string = string> {
  /** Its key under `policies:` in the configuration. */
  readonly name: Name
  /** One sentence for the reference documentation. */
  readonly summary: string
  /** Schema of its options, with defaults and units. */
  readonly options: Schema
  /** Where its options may name files in place of documents (core/document.ts), as steps from the options. */
  readonly documents?: readonly (readonly string[])[]
  /**
   * Names of request fields that it sets or reads: where it is on, a field that is not spelled so, but is the same for a
   * CGI-like service (`X_User_ID`, `X.User.ID`), never reaches the service. Names in templates are known anyway.
   */
  fields?(options: z.output<Schema>): readonly string[]
  /**
   * Builds the step for one route, when the configuration loads. `general` is what every route has unless it says
   * otherwise, or null where that is nothing.
   */
  create(
    options: z.output<Schema>,
    toolbox: PolicyToolbox,
    route: RouteInfo,
    general: z.output<Schema> | null,
  ): Middleware
  /** What it means to whoever calls the operation, for the API's documentation; nothing where it is left out. */
  document?(options: z.output<Schema>, operation: DocumentedOperation): PolicyDocs
  /** What works, and whoever wrote the options should know: it is logged at the start, and told by `sallyport check`. */
  warnings?(options: z.output<Schema>): readonly OptionsWarning[]
}

/** Gives a policy's `create` the type of its options, and keeps its name as a literal type. */
export function definePolicy<Schema extends z.ZodType, const Name extends string>(
  policy: Policy<Schema, Name>,
): Policy<Schema, Name> {
  return policy
}
