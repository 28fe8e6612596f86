/**
 * The replies of the admin API, as far as the console shows them: a test compares them with the schemas, which must not be loaded in
 * browsers.
 */

/** Roles of operators, in increasing order of rights. */
export type Role = 'viewer' | 'operator' | 'admin'

/** GET /session. */
export interface Session {
  readonly name: string | null
  readonly role: Role | null
  readonly by: 'session' | 'oidc' | 'token' | 'machine' | null
  readonly users: boolean
  /** Host of the OpenID provider for login; null for none. */
  readonly provider: string | null
  readonly token: boolean
}

/** POST /logout. */
export interface LoggedOut {
  /** URL that ends the session at the provider; null for none. */
  readonly leave: string | null
}

/** POST /login/oidc. */
export interface LoginBegun {
  readonly url: string
}

/** GET /. */
export interface Listed {
  readonly endpoints: readonly { readonly method: string; readonly path: string; readonly role: Role }[]
}

/** GET /status. */
export interface Status {
  readonly version: string
  readonly node: string
  readonly pid: number
  readonly readiness: 'starting' | 'ready' | 'draining'
  readonly startedAt: string
  readonly uptimeSeconds: number
  readonly listeners: readonly { readonly name: string; readonly address: string }[]
  readonly connections: number
  readonly inFlight: number
  readonly memory: { readonly rssBytes: number }
  readonly configuration: {
    readonly revision: string
    readonly generation: number
    readonly since: string
    readonly current: boolean
  }
  readonly workers: readonly WorkerStatus[]
}

export interface WorkerStatus {
  readonly thread: number
  readonly generation: number
  readonly connections: number
  readonly inFlight: number
  readonly heapBytes: number
  readonly busy: number
  readonly redis: readonly { readonly use: string; readonly cause: string; readonly since: string }[] | null
}

/** GET /replicas. */
export interface Replicas {
  readonly shared: boolean
  readonly replicas: readonly Replica[]
  readonly problems: readonly { readonly name: string; readonly problem: string }[]
  readonly unreached: string | null
}

export interface Replica {
  readonly name: string
  readonly asked: boolean
  readonly answers: boolean
  readonly lastSeen: string
  readonly version: string
  readonly startedAt: string
  readonly readiness: Status['readiness']
  readonly revision: string
  readonly since: string
  readonly isCurrent: boolean
  readonly console: string | null
}

/** One of GET /services. */
export interface Service {
  readonly name: string
  readonly status: 'healthy' | 'degraded' | 'unhealthy'
  readonly balancer: string
  readonly discovery: {
    readonly kind: string
    readonly subject: string
    readonly instances: number
    readonly lastSuccessAt: string | null
    readonly problem: string | null
  } | null
  readonly concurrency: { readonly adaptive: boolean; readonly limit: number } | null
  readonly retries: { readonly left: number } | null
  readonly hedges: { readonly after: string; readonly left: number } | null
  readonly instances: readonly Instance[]
}

export interface Instance {
  readonly address: string
  readonly weight: number
  readonly zone: string | null
  readonly usable: boolean
  readonly drained: boolean
  readonly ejected: {
    readonly reason: string
    readonly since: string
    readonly until: string
    readonly times: number
  } | null
  readonly health: {
    readonly state: 'unknown' | 'healthy' | 'unhealthy' | 'pending'
    readonly since: string
    readonly reason: string | null
    readonly checkedAt: string | null
    readonly checkMs: number | null
    readonly failures: number
  }
  readonly inFlight: number
  readonly connections: Readonly<Record<'idle' | 'busy' | 'connecting' | 'streaming' | 'waiting', number>>
}

/** GET /services/{name}/history. */
export interface Transition {
  readonly at: string
  readonly instance: string
  readonly kind: 'healthy' | 'unhealthy' | 'ejected' | 'returned' | 'drained' | 'undrained'
  readonly reason: string | null
}

/** One of GET /routes. */
export interface Route {
  readonly id: string
  readonly match: {
    readonly listener: readonly string[]
    readonly path: readonly string[]
    readonly pathRegex: string | null
    readonly host: readonly string[]
    readonly method: readonly string[]
    readonly headers: Readonly<Record<string, unknown>>
    readonly query: Readonly<Record<string, unknown>>
    readonly precedence: number
  }
  readonly service: string | null
  readonly split: Readonly<Record<string, number>> | null
  readonly mirror: readonly { readonly service: string; readonly share: number }[]
  readonly replyStatus: number | null
  readonly policies: readonly string[]
  readonly lastRequestAt: string | null
  /** Requests by their cache result, since the start; null if the route has no cache. */
  readonly cache: Readonly<Record<string, number>> | null
}

/** One of GET /requests. */
export interface Request {
  readonly time: string
  readonly durationMs: number
  readonly serviceMs: number
  readonly protocol: string
  readonly method: string
  readonly host: string
  readonly path: string
  readonly query: string
  readonly status: number
  readonly bytes: number
  readonly route: string | null
  readonly service: string | null
  readonly instance: string | null
  readonly attempts: number
  readonly retried: string | null
  readonly client: string
  readonly consumer: string | null
  readonly tier: string | null
  readonly apiKey: string | null
  readonly correlationId: string
  readonly traceId: string
  readonly error: string | null
  readonly grpcStatus: string | null
}

/** A decision of a policy. */
export interface Decision {
  readonly name: string
  readonly attributes: Readonly<Record<string, unknown>>
}

/** One of GET /requests/{correlationId}: everything that is known of a request. */
export interface RequestDetails extends Request {
  /** Why it ended as it did, in one sentence. */
  readonly cause: string
  readonly userAgent: string | null
  readonly detail: string | null
  readonly tried: readonly {
    readonly instance: string
    readonly phase: string | null
    readonly reason: string | null
    readonly status: number | null
    readonly tookMs: number | null
    readonly error: string | null
  }[]
  readonly clientMs: number
  readonly gatewayMs: number
  /** Null if they were not recorded. */
  readonly events: readonly Decision[] | null
  readonly fields: Readonly<Record<string, string>>
}

/** One problem of a configuration. */
export interface Problem {
  readonly file: string | null
  readonly line: number | null
  readonly column: number | null
  readonly path: string
  readonly message: string
}

/** GET /config/status. */
export interface ConfigStatus {
  readonly revision: string
  readonly generation: number
  readonly since: string
  readonly current: boolean
  readonly warnings: readonly Problem[]
  readonly writable: boolean
  readonly lastReload: { readonly outcome: string; readonly at: string; readonly problems: readonly Problem[] } | null
  readonly awaitsConfirmation: { readonly until: string } | null
  readonly earlier: readonly { readonly revision: string; readonly generation: number; readonly since: string }[]
  readonly workers: readonly { readonly thread: number; readonly generation: number }[]
}

/** GET /config/text. */
export interface Written {
  readonly file: string
  /** Whether secrets are masked in the text. */
  readonly masked: boolean
  readonly text: string
}

/** POST /config/edit. */
export interface Edited {
  readonly file: string
  readonly writable: boolean
  readonly options: readonly { readonly option: string; readonly value: boolean | number | string | null }[]
  readonly before: string
  readonly after: string
  readonly plan: Plan | null
  readonly problems: readonly { readonly option: string | null; readonly path: string; readonly message: string }[]
}

/** POST /config/plan. */
export interface Plan {
  readonly same: boolean
  readonly changes: readonly PlannedChange[]
  readonly warnings: readonly { readonly path: string; readonly message: string }[]
}

export interface PlannedChange {
  readonly kind: 'added' | 'removed' | 'changed'
  readonly path: string
  readonly class: 'needs-restart' | 'ends-tunnels' | 'resets-state' | 'live'
  readonly before?: unknown
  readonly after?: unknown
  readonly effects: readonly string[]
  readonly routes?: readonly string[] | undefined
}

/** One of GET /certificates. */
export interface Certificate {
  readonly names: readonly string[]
  readonly source: 'acme' | 'file'
  readonly issuer: string | null
  readonly notBefore: string | null
  readonly notAfter: string | null
  readonly lastOrderSuccessful: boolean
}

/** One of GET /limits/{client}. */
export interface Limit {
  readonly name: string
  readonly store: string
  readonly quotas:
    | readonly {
        readonly limit: number
        readonly windowSeconds: number
        readonly used: number
        readonly remaining: number
        readonly moreInSeconds: number
        readonly waitSeconds: number
      }[]
    | null
}

/** One of GET /limits. */
export interface LimitedClient {
  readonly client: string
  readonly limit: string
  readonly store: string
  readonly share: number
  readonly limited: boolean
  readonly refused: number
  readonly lastSeenAt: string
}

/** POST /explain. */
export interface Explanation {
  readonly listener: string
  readonly path: { readonly written: string; readonly normal: string | null; readonly refused: string | null }
  readonly routes: {
    readonly candidates: readonly {
      readonly route: string
      readonly pattern: string
      readonly host: string | null
      readonly listener: string | null
      readonly lacks: readonly string[]
      readonly taken: boolean
    }[]
    readonly more: number
    readonly others: number
  }
  readonly route: { readonly id: string; readonly pattern: string } | null
  readonly consumer: { readonly id: string; readonly tier: string } | null
  readonly policies: readonly {
    readonly name: string
    readonly verdict: string
    readonly origin: string
    readonly status: number | null
    readonly code: string | null
    readonly detail: string | null
    readonly events: readonly Decision[]
    readonly request: { readonly set: readonly string[]; readonly removed: readonly string[] }
    readonly reply: { readonly set: readonly string[]; readonly removed: readonly string[] }
  }[]
  readonly leads: readonly string[]
  readonly service: {
    readonly name: string
    readonly balancer: string
    readonly limit: number | null
    readonly instances: readonly {
      readonly address: string
      readonly weight: number
      readonly inFlight: number
      readonly state: string
      readonly unusable: string | null
      readonly next: boolean
    }[]
  } | null
  readonly outcome: 'sent' | 'replied'
  readonly status: number | null
  readonly code: string | null
  readonly detail: string | null
  readonly reply: readonly { readonly name: string; readonly value: string }[]
  readonly sent: {
    readonly method: string
    readonly target: string
    readonly host: string
    readonly fields: readonly { readonly name: string; readonly value: string }[]
  } | null
  readonly notes: readonly string[]
}

/** Requests in a window: total, with 4xx, with 5xx, seconds (0 in what was before the page was opened), and one number for each bucket up to the last one that is not empty. */
export type Tally = readonly number[]

/** What happened in one second. */
export interface Window {
  readonly at: number
  readonly seconds: number
  readonly routes: Readonly<Record<string, Tally>>
  readonly instances: Readonly<Record<string, Readonly<Record<string, Tally>>>>
  /** Requests by listener name. */
  readonly listeners: Readonly<Record<string, number>>
  readonly counters: Readonly<Record<string, number>>
}

/** The versions of the configuration and of the state of instances: if they change, the data has to be fetched again. */
export interface Versions {
  readonly generation: number
  readonly health: number
}

/** A number in each second: how many of the first seconds have zero, then the numbers of those after them; the others have zero too. */
export type Column = readonly number[]

/** The last minute. */
export interface History {
  readonly at: readonly number[]
  readonly seconds: readonly number[]
  /** The columns of a tally without its seconds; the first one has the requests that are in no bucket. */
  readonly routes: Readonly<Record<string, readonly Column[]>>
  readonly instances: Readonly<Record<string, Readonly<Record<string, readonly Column[]>>>>
  /** One column each. */
  readonly listeners: Readonly<Record<string, readonly Column[]>>
  readonly counters: Readonly<Record<string, readonly Column[]>>
}

/** Where an API key is stored. */
export type KeyStore = 'configuration' | 'redis'

/** One of GET /keys. */
export interface ApiKey {
  readonly id: string
  readonly prefix: string | null
  readonly owner: string
  readonly tier: string
  readonly roles: readonly string[]
  readonly createdAt: string | null
  readonly expiresAt: string | null
  readonly lastUsedAt: string | null
  readonly replaced: boolean
  readonly store: KeyStore
}

/** GET /keys. */
export interface ApiKeys {
  readonly keys: readonly ApiKey[]
  readonly store: KeyStore | null
  readonly redis: { readonly problem: string | null; readonly cacheSeconds: number } | null
}

/** A change of the configuration. */
export interface ManualEdit {
  readonly file: string | null
  readonly patch: string | null
  readonly lines: string | null
  /** What to send with PUT /config; null if that is not possible. */
  readonly send: { readonly text: string; readonly revision: string } | null
}

/** POST /keys, and the new key in the reply to POST /keys/{id}/rotate. */
export interface MadeKey {
  readonly id: string
  readonly key: string
  readonly store: KeyStore
  readonly configuration: ManualEdit | null
}

/** POST /keys/{id}/rotate. */
export interface RotatedKey extends MadeKey {
  readonly old: { readonly prefix: string | null; readonly expiresAt: string }
  readonly unreached: string | null
}

/** DELETE /keys/{id}. */
export interface RevokedKeys {
  readonly configuration: ManualEdit | null
  readonly unreached: string | null
}
