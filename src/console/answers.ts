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
  readonly worker: number
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
  readonly self: boolean
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
  /** Age in seconds of the stored reply that the cache answered with; null for any other reply. */
  readonly storedAge: number | null
  readonly tried: readonly {
    readonly instance: string
    readonly phase: string | null
    readonly reason: string | null
    readonly status: number | null
    readonly tookMs: number | null
    readonly error: string | null
  }[]
  readonly clientMs: number
  readonly sendingMs: number
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

/** Why a configuration is in effect, and who asked for it. */
export interface Origin {
  readonly how: 'started' | 'reloaded' | 'sent' | 'went_back' | 'expired'
  readonly operator: string | null
  readonly by: Session['by']
}

/** The last change of a text that left its meaning as it was, such as of comments. */
export interface Rewritten {
  readonly at: string
  readonly origin: Origin
}

/** GET /config/status. */
export interface ConfigStatus {
  readonly revision: string
  readonly generation: number
  /** Of the text, for If-Match; null for a module. */
  readonly etag: string | null
  readonly since: string
  readonly origin: Origin
  readonly rewritten: Rewritten | null
  readonly current: boolean
  readonly warnings: readonly Problem[]
  readonly writable: boolean
  readonly lastReload: { readonly outcome: string; readonly at: string; readonly problems: readonly Problem[] } | null
  readonly awaitsConfirmation: { readonly until: string } | null
  readonly earlier: readonly {
    readonly revision: string
    readonly generation: number
    readonly since: string
    readonly origin: Origin
    readonly rewritten: Rewritten | null
  }[]
  readonly workers: readonly { readonly worker: number; readonly generation: number }[]
}

/** PUT /config. */
export interface Changed {
  /** Of the text that is now in effect; null for a module. */
  readonly etag: string | null
  /** When it is rolled back unless it is kept; null if it is in the file. */
  readonly until: string | null
}

/** GET /config/text. */
export interface Written {
  readonly file: string
  /** Whether secrets are masked in the text. */
  readonly masked: boolean
  readonly text: string
  readonly etag: string
}

/** POST /config/edit. */
export interface Edited {
  readonly file: string
  readonly writable: boolean
  readonly options: readonly { readonly option: string; readonly value: boolean | number | string | null }[]
  readonly before: string
  /** Of the text before, for If-Match. */
  readonly etag: string
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
  readonly written?: { readonly before?: unknown; readonly after?: unknown } | undefined
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
