import type { z } from 'zod'
import type { ApiKeys } from './auth/api-key/api-key-store.ts'
import type { Allows, Identify } from './auth/identify.ts'
import type { DocsObject, DocumentedOperation, PolicyDocs } from './policy-docs.ts'
import type { Caches } from './cache/cache-stores.ts'
import type { RouteInfo } from '../http/exchange.ts'
import type { Middleware } from '../http/handler.ts'
import type { Repeats } from './idempotency/repeat-stores.ts'
import type { RateLimits } from './rate-limit/limit-stores.ts'
import type { Metrics } from '../core/metrics.ts'
import type { Steps } from '../core/slices.ts'
import type { Holder } from '../core/shared.ts'
import type { Answers, Threads } from '../core/threads.ts'
import type { Toolbox } from '../core/toolbox.ts'
import type { ServiceReply, ServiceRequest } from '../http/service-request.ts'

// What the tools are made of, for whoever writes a policy.
export type { ApiKeys, StoredApiKey } from './auth/api-key/api-key-store.ts'
export type { Allows, Identify, ProofOptions } from './auth/identify.ts'
export type { Caches, CacheStoreName } from './cache/cache-stores.ts'
export type { FlightBoard, FlightStatus, SharedFlight } from './cache/memory/flight-board.ts'
export type { CacheEntry, CacheStore, CacheUsage, Missing, Variant } from './cache/store.ts'
export type { Repeats, RepeatStoreName } from './idempotency/repeat-stores.ts'
export type { HeldKey, KeyClaim, KeyClaimant, KeyPlace, RepeatStore, StoredReply } from './idempotency/store.ts'
export type { AskedClient, ClientKind } from './rate-limit/client-name.ts'
export type { LimitStoreName, RateLimits } from './rate-limit/limit-stores.ts'
export type { LimitWatch } from './rate-limit/limit-watch.ts'
export type { NearLimits, Sighting } from './rate-limit/near-limits.ts'
export type {
  Algorithm,
  Decision,
  Limit,
  Meter,
  Quota,
  QuotaState,
  StoreFailureMode,
  SyncMeter,
} from './rate-limit/meter.ts'
export type { Rate } from './rate-limit/rate.ts'

/** What a policy may use besides. */
export interface PolicyToolbox extends Toolbox {
  /**
   * Sends a request of the gateway's own to a healthy instance of a service and resolves with the whole reply.
   * Rejects with a GatewayError when none answers in time, and with an Error when there is no such service.
   */
  readonly callService: (service: string, request: ServiceRequest) => Promise<ServiceReply>
  /** Counts requests, for all threads of the process, or in Redis for all processes. */
  readonly limits: RateLimits
  /** What stored replies are kept in. */
  readonly caches: Caches
  /** What replies are kept in to be repeated. */
  readonly repeats: Repeats
  /** API keys in Redis; null where none is configured. */
  readonly apiKeys: ApiKeys | null
  /**
   * Tells the stores behind `limits`, `caches`, `repeats` and `apiKeys` from those of another configuration: it belongs into the key of
   * whatever is kept (core/shared.ts) and made from them.
   */
  readonly storesKey: string
  /** Hands out the gateway's metrics, to be asked for in `create`. */
  readonly metrics: Metrics
  /** Says who calls in place of the methods of the configuration, where requests are only told of; left out where they are sent. */
  readonly identify?: Identify
  /** Says whether they have what is required, where nobody can look at that. */
  readonly allows?: Allows
  /** The configuration, as what holds things that outlive a request (core/shared.ts). */
  readonly holder: Holder
  /** Answers what other threads ask this one, until the returned function is called. */
  readonly answer: Answers['on']
  /** All threads of this gateway, this one among them, to be asked. */
  readonly threads: Threads
  /**
   * Somebody only asks what would become of one request, which is not sent: the other tools change nothing then, but decide and find.
   * Default false.
   */
  readonly dry?: boolean
}

/** Steps from the options of a policy to something in them; "*" is any key of a map, or any item of a list. */
export type OptionsPath = readonly string[]

/** Reads a file whose path is relative to the configuration file; null where there is none. Rejects with an Error for one that cannot be read. */
export type OpenFile = (path: string) => Promise<Buffer | null>

/** Where options name files in a form of the policy's own. */
export interface FilesOption {
  readonly path: OptionsPath
  /** What takes the place of what is written there: plain data. Rejects with an Error that says what is wrong with which file. */
  readonly read: (written: unknown, open: OpenFile) => Promise<unknown>
}

/** Where options choose a store that may be Redis. */
export interface StoreOption {
  readonly path: OptionsPath
  /** What may be chosen instead, where there is no Redis. */
  readonly instead: string
}

/** How much body a request may have. */
export interface BodyLimit {
  /** In octets. */
  readonly octets: number
  /** The policy refuses more itself. Where it does not, the limit makes no other one smaller. */
  readonly enforced: boolean
}

/**
 * Options of policies of the user's own by their names, as they are written: extend it, and configurations in TypeScript
 * know them, as in `declare module 'sallyport' { interface OwnPolicies { tenant: { header?: string } } }`.
 */
export interface OwnPolicies {}

/** Something that a policy keeps from one request to the next, and that a change of the configuration may cost. */
export interface KeptState {
  /** What it is, such as "counts of the tier authenticated": the same before and after a change. */
  readonly name: string
  /** What it is found by: whatever is not found by the same after a change begins anew. */
  readonly identities: readonly string[]
  /** Options that this is made of, as steps from the options. */
  readonly options: readonly OptionsPath[]
  /** One sentence that says what begins anew. */
  readonly loss: string
}

/** The route that a policy keeps something for; without an id, and without a service, that is every other request. */
export type KeepingRoute = Pick<RouteInfo, 'id' | 'service'>

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
  readonly documents?: readonly OptionsPath[]
  /** Where they may name files that are none of these, which the policy makes something of when the configuration loads. */
  readonly files?: readonly FilesOption[]
  /** Where they may name files with certificates in PEM. */
  readonly certificates?: readonly OptionsPath[]
  /** Those of its options that are lists of networks (core/networks-schema.ts), which may name files. */
  readonly networks?: readonly string[]
  /** Where they name services that it asks. */
  readonly services?: readonly OptionsPath[]
  readonly stores?: readonly StoreOption[]
  /**
   * What decides whether it refuses requests, or answers them itself: 'nothing' where it never does but for preflights, 'facts' where the line of a
   * request in the access log says all of it (who calls, from where, when, for what), 'content' where it takes more, such as
   * header fields and bodies. Requests of a log are simulated by it. Default content.
   */
  decidesBy?(options: z.output<Schema>): 'nothing' | 'facts' | 'content'
  /** Names of request fields that hold secrets: the access log shows none of them. */
  secretFields?(options: z.output<Schema>): readonly string[]
  /** It answers preflights (Fetch, "CORS-preflight request"), for the route of the request that they ask about. */
  readonly answersPreflights?: boolean
  /** It is for the gateway's own endpoints too. */
  readonly aroundOwnEndpoints?: boolean
  /**
   * It changes what services are asked, so that what they reply depends on its options: a reply that was stored under others
   * is not used. Default false; true for a policy of a user's own.
   */
  readonly changesRequests?: boolean
  /**
   * Another one wherever its code does something else with the same options: a reply that was stored with the help of another
   * version is not used. Of a policy from a file it is the digest of its code, unless it has one.
   */
  readonly version?: string
  /**
   * It changes nothing but by its tools, and asks nobody who does. Where somebody only asks what would become of a request
   * (`sallyport explain`), it is run with tools that change nothing; a policy that does not say so is left out. Default false for a
   * policy of a user's own.
   */
  readonly runsDry?: boolean
  /** How much body it lets a request have, in place of the general limit; null where it says nothing of that. */
  bodyLimit?(options: z.output<Schema>): BodyLimit | null
  /**
   * Names of request fields that it sets or reads: where it is on, a field that is not spelled so, but is the same for a
   * CGI-like service (`X_User_ID`, `X.User.ID`), never reaches the service. Names in templates are known anyway.
   */
  fields?(options: z.output<Schema>): readonly string[]
  /**
   * Whether all routes with these options may share one step, as it knows nothing of the route but what an exchange says
   * of its own: `create` is called with any of them then. Left out: each has one of its own. `general` is as in `create`.
   */
  isShared?(options: z.output<Schema>, general: z.output<Schema> | null): boolean
  /**
   * Does beforehand what takes long of the following, as a generator that yields after each step: other requests are
   * answered between them. Left out where there is nothing of that kind.
   */
  prepare?(options: z.output<Schema>): Steps
  /**
   * Builds the step for one route, when the configuration loads. `general` is what every route has unless it says
   * otherwise, or null where that is nothing. `source` names what the replies come from that it gets from further in: the
   * same text in every process and configuration in which a request brings the same there.
   */
  create(
    options: z.output<Schema>,
    toolbox: PolicyToolbox,
    route: RouteInfo,
    general: z.output<Schema> | null,
    source: () => string,
  ): Middleware
  /**
   * The OpenAPI 3 document of the operations that clients find where it is on, at the paths that they ask for, in place of what the service
   * says of itself. Left out where the policy lets clients ask for what the service has.
   */
  describe?(options: z.output<Schema>): DocsObject
  /** What it means to whoever calls the operation, for the API's documentation; nothing where it is left out. */
  document?(options: z.output<Schema>, operation: DocumentedOperation): PolicyDocs
  /**
   * What it keeps from one request to the next for one route, for those who are to know what a changed configuration
   * costs. `general` and `source` are as in `create`; where `stores` names an option, it is filled in.
   */
  keeps?(
    options: z.output<Schema>,
    route: KeepingRoute,
    general: z.output<Schema> | null,
    source: () => string,
  ): readonly KeptState[]
  /**
   * What works, and whoever wrote the options should know: it is logged at the start, and told by `sallyport check`. `patterns` are the
   * paths of the route that has them; none for the options of every route.
   */
  warnings?(options: z.output<Schema>, patterns: readonly string[]): readonly OptionsWarning[]
}

/** Gives a policy's `create` the type of its options, and keeps its name as a literal type. */
export function definePolicy<Schema extends z.ZodType, const Name extends string>(
  policy: Policy<Schema, Name>,
): Policy<Schema, Name> {
  return policy
}
