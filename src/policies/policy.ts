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
import type { SlicedWork } from '../core/time-slices.ts'
import type { Holder } from '../core/shared.ts'
import type { TopicHandlers, Threads } from '../core/threads.ts'
import type { Toolbox } from '../core/toolbox.ts'
import type { ServiceReply, ServiceRequest } from '../http/service-request.ts'

// The types that the toolbox consists of, for authors of policies.
export type { ApiKeys, StoredApiKey } from './auth/api-key/api-key-store.ts'
export type { Allows, Identify, ProofOptions } from './auth/identify.ts'
export type { Caches, CacheStoreName } from './cache/cache-stores.ts'
export type { FlightTable, FlightStatus, SharedFlight } from './cache/memory/flight-table.ts'
export type { CacheAcceptance, CacheEntry, CacheStore, CacheUsage, Missing, Variant } from './cache/store.ts'
export type { Repeats, RepeatStoreName } from './idempotency/repeat-stores.ts'
export type { HeldKey, KeyClaim, KeyClaimant, KeyPlace, RepeatStore, StoredReply } from './idempotency/store.ts'
export type { ClientIdentity, ClientKind } from './rate-limit/client-name.ts'
export type { LimitStoreName, RateLimits } from './rate-limit/limit-stores.ts'
export type { LimitWatch } from './rate-limit/limit-watch.ts'
export type { NearLimits, NearLimitEntry } from './rate-limit/near-limits.ts'
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

/** What a policy may use in addition to the general toolbox. */
export interface PolicyToolbox extends Toolbox {
  /**
   * Sends a request made by the gateway itself to a healthy instance of a service and resolves with the whole reply. Rejects with a
   * GatewayError if no instance replies in time, and with an Error if there is no such service.
   */
  readonly callService: (service: string, request: ServiceRequest) => Promise<ServiceReply>
  /** Counts requests, across all threads of the process, or in Redis across all processes. */
  readonly limits: RateLimits
  /** Stores for cached replies. */
  readonly caches: Caches
  /** Stores for replies that are repeated by idempotency key. */
  readonly repeats: Repeats
  /** API keys in Redis; null if Redis is not configured for them. */
  readonly apiKeys: ApiKeys | null
  /**
   * Distinguishes the stores behind `limits`, `caches`, `repeats` and `apiKeys` from those of another configuration. It must be
   * part of the key of anything that is shared (core/shared.ts) and uses them.
   */
  readonly storesKey: string
  /** Provides the gateway's metrics; only to be used in `create`. */
  readonly metrics: Metrics
  /** In a dry run, names the caller instead of the configured methods; left out if requests are really sent. */
  readonly identify?: Identify
  /** In a dry run, says whether the caller has what is required, as that cannot be verified. */
  readonly allows?: Allows
  /** The configuration as the owner of things that outlive a request (core/shared.ts). */
  readonly holder: Holder
  /** Answers a question from other threads, until the returned function is called. */
  readonly answer: TopicHandlers['on']
  /** All threads of this gateway, including this one, for sending questions to them. */
  readonly threads: Threads
  /**
   * Dry run: the question is only how one request would be handled, and it is not sent. The other tools then only look up and
   * decide, and change nothing. Default: false.
   */
  readonly dry?: boolean
}

/** Path from the options of a policy to a value in them; "*" stands for any key of a map, or any item of a list. */
export type OptionsPath = readonly string[]

/**
 * Reads a file whose path is relative to the configuration file; null if it does not exist. Rejects with an Error if it cannot be
 * read.
 */
export type OpenFile = (path: string) => Promise<Buffer | null>

/** An option that names files in a policy-specific form. */
export interface FilesOption {
  readonly path: OptionsPath
  /** Returns plain data that replaces the value of the option. Rejects with an Error that says what is wrong with which file. */
  readonly read: (written: unknown, open: OpenFile) => Promise<unknown>
}

/** An option that selects a store which may be Redis. */
export interface StoreOption {
  readonly path: OptionsPath
  /** What to suggest instead if there is no Redis. */
  readonly instead: string
}

/** The limit on the body of a request. */
export interface BodyLimit {
  /** In bytes. */
  readonly bytes: number
  /** Whether the policy itself refuses larger bodies. If not, the limit does not lower any other limit. */
  readonly enforced: boolean
}

/** State that a policy keeps between requests, and that may be lost by a change of the configuration. */
export interface PolicyState {
  /** What it is, such as "counts of the tier authenticated": the same before and after a change. */
  readonly name: string
  /** What it is identified by: state whose identities change starts from scratch. */
  readonly identities: readonly string[]
  /** Options that the state depends on, as paths from the options. */
  readonly options: readonly OptionsPath[]
  /** One sentence that says what is lost. */
  readonly loss: string
}

/** The route that a policy keeps state for; without an id and a service, all requests that match no route. */
export type StatefulRoute = Pick<RouteInfo, 'id' | 'service'>

/** A warning about options. */
export interface OptionsWarning {
  /** Path from the options to the value in question. */
  readonly path: readonly string[]
  readonly message: string
}

/** A kind of processing step around a request: one file in policies/ and one line in policies/index.ts. */
export interface Policy<Schema extends z.ZodType = z.ZodType, Name extends string = string> {
  /** Its key under `policies:` in the configuration. */
  readonly name: Name
  /** One sentence for the reference documentation. */
  readonly summary: string
  /** Schema of its options, with defaults and units. */
  readonly options: Schema
  /** Options that may name files instead of documents (core/document.ts), as paths from the options. */
  readonly documents?: readonly OptionsPath[]
  /** Options that may name files of other kinds, which the policy converts when the configuration loads. */
  readonly files?: readonly FilesOption[]
  /** Options that may name files with PEM certificates. */
  readonly certificates?: readonly OptionsPath[]
  /** Options that are lists of networks (core/networks-schema.ts), which may name files. */
  readonly networks?: readonly string[]
  /** Options that name services which the policy calls. */
  readonly services?: readonly OptionsPath[]
  readonly stores?: readonly StoreOption[]
  /**
   * What determines whether the policy refuses requests or replies itself: 'nothing' if it never does except for preflights;
   * 'facts' if a line of the access log contains everything needed (who calls, from where, when, for what); 'content' if it needs
   * more, such as headers and bodies. Used to simulate requests from a log. Default: content.
   */
  decidesBy?(options: z.output<Schema>): 'nothing' | 'facts' | 'content'
  /** Names of request headers that hold secrets and are never shown in the access log. */
  secretFields?(options: z.output<Schema>): readonly string[]
  /** Names of query parameters that hold secrets: their values are never logged or traced, even if another policy replies first. */
  secretParameters?(options: z.output<Schema>): readonly string[]
  /** Whether it replies to preflights (Fetch, "CORS-preflight request"), on behalf of the route of the request that they ask about. */
  readonly answersPreflights?: boolean
  /** Whether it also applies to the gateway's own endpoints. */
  readonly aroundOwnEndpoints?: boolean
  /**
   * Whether it changes requests to services, so that replies depend on its options: a reply stored under different options is not
   * used. Default: false; true for custom policies.
   */
  readonly changesRequests?: boolean
  /**
   * Must change whenever the policy's code behaves differently with the same options: a reply stored with another version is not
   * used. For a policy from a file it is the digest of its code, unless the policy defines one.
   */
  readonly version?: string
  /**
   * Whether it has side effects only through its tools. If so, dry runs (`sallyport explain`) run it with tools that change
   * nothing; otherwise the policy is left out of them. Default for a custom policy: false.
   */
  readonly runsDry?: boolean
  /** The body limit of a request instead of the general one; null if the policy does not set one. */
  bodyLimit?(options: z.output<Schema>): BodyLimit | null
  /**
   * Names of request headers that it sets or reads. While the policy is in use, headers in other spellings that a CGI-like service
   * treats as the same (`X_User_ID`, `X.User.ID`) never reach the service. Names in templates are covered automatically.
   */
  fields?(options: z.output<Schema>): readonly string[]
  /**
   * Whether all routes with these options may share one step because it uses nothing of the route beyond what the exchange
   * contains: `create` is then called with any one of them. Left out: each route has its own. `general` is as in `create`.
   */
  isShared?(options: z.output<Schema>, general: z.output<Schema> | null): boolean
  /**
   * Does slow work for the functions below in advance, as a generator that yields after each step so that other requests can be
   * handled in between. Left out if there is no slow work.
   */
  prepare?(options: z.output<Schema>): SlicedWork
  /**
   * Creates the step for one route when the configuration loads. `general` is the options that apply to every route by default, or
   * null if there are none. `source` identifies where replies from further in come from: it is the same text in every process and
   * configuration in which a request gets the same reply.
   */
  create(
    options: z.output<Schema>,
    toolbox: PolicyToolbox,
    route: RouteInfo,
    general: z.output<Schema> | null,
    source: () => string,
  ): Middleware
  /**
   * The OpenAPI 3 document of the operations offered to clients, at the paths that clients use, which replaces the service's own
   * description. Left out if the policy exposes the service's operations as they are.
   */
  describe?(options: z.output<Schema>): DocsObject
  /** What the policy means for callers of the operation, for the API documentation. */
  document?(options: z.output<Schema>, operation: DocumentedOperation): PolicyDocs
  /**
   * The state that it keeps between requests for one route, used to tell what a configuration change would lose. `general` and
   * `source` are as in `create`; options named in `stores` are filled in.
   */
  keeps?(
    options: z.output<Schema>,
    route: StatefulRoute,
    general: z.output<Schema> | null,
    source: () => string,
  ): readonly PolicyState[]
  /**
   * Warnings about options that are valid but questionable; logged at the start and reported by `sallyport check`. `patterns` are
   * the paths of the route with these options; empty for the options of all routes.
   */
  warnings?(options: z.output<Schema>, patterns: readonly string[]): readonly OptionsWarning[]
}

/** The names of all members of a policy. */
export const policyMembers: ReadonlySet<string> = new Set(
  Object.keys({
    name: true,
    summary: true,
    options: true,
    documents: true,
    files: true,
    certificates: true,
    networks: true,
    services: true,
    stores: true,
    decidesBy: true,
    secretFields: true,
    secretParameters: true,
    answersPreflights: true,
    aroundOwnEndpoints: true,
    changesRequests: true,
    version: true,
    runsDry: true,
    bodyLimit: true,
    fields: true,
    isShared: true,
    prepare: true,
    create: true,
    describe: true,
    document: true,
    keeps: true,
    warnings: true,
  } satisfies Record<keyof Policy, true>),
)

/** Infers the options type for a policy's `create`, and keeps its name as a literal type. */
export function definePolicy<Schema extends z.ZodType, const Name extends string>(
  policy: Policy<Schema, Name>,
): Policy<Schema, Name> {
  return policy
}
