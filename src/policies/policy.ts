import type { z } from 'zod'
import type { ApiKeys } from '../core/api-keys.ts'
import type { DocumentedOperation, PolicyDocs } from '../core/api-docs.ts'
import type { Caches } from './cache/store.ts'
import type { RouteInfo } from '../http/exchange.ts'
import type { Middleware } from '../http/handler.ts'
import type { Limits } from '../core/limits.ts'
import type { Metrics } from '../core/metrics.ts'
import type { Toolbox } from '../core/toolbox.ts'
import type { ServiceReply, ServiceRequest } from '../http/service-request.ts'

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
  /** Where they may name files with certificates in PEM, likewise; "*" is any key of a map, or any item of a list. */
  readonly certificates?: readonly (readonly string[])[]
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
