import { listenerName } from '../config/listener-name.ts'
import { activePolicies, type PoliciesConfig } from '../config/policy-schema.ts'
import { servicesOf } from '../config/route-services.ts'
import type { GatewayConfig, RouteConfig } from '../config/schema.ts'
import { asGatewayError, type ErrorCode } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import { Holder } from '../core/shared.ts'
import { TimeSlices } from '../core/time-slices.ts'
import type { Threads } from '../core/threads.ts'
import { Snapshot } from '../front/snapshot.ts'
import type { Client, Consumer, Exchange } from '../http/exchange.ts'
import { Headers } from '../http/headers.ts'
import { internalExchange } from '../http/internal-exchange.ts'
import { Reply } from '../http/reply.ts'
import type { ServerExchange } from '../http/server-exchange.ts'
import { storesToTry } from '../policies/generation-stores.ts'
import type { Policy, ProofOptions, RateLimits } from '../policies/policy.ts'
import { ProcessStores } from '../policies/process-stores.ts'
import { ThreadMetrics } from '../telemetry/metrics/thread-metrics.ts'
import { RouteDoubts } from './doubts.ts'
import type { LogClock } from './log-clock.ts'
import type { LoggedRequest } from './logged-request.ts'
import type { EqualityCache } from './equality-cache.ts'

/** The outcome of a request. */
export interface Ending {
  /** Id of the route; "" for none. */
  readonly route: string
  /** Null if it is the status of a service that was not called. */
  readonly status: number | null
  readonly service: string | null
  /** Code of the gateway's error; null for none. */
  readonly code: string | null
}

/** The outcome of a request with one configuration. */
export interface Outcome extends Ending {
  /** The request reaches the target of its route. */
  readonly arrived: boolean
  /** Other factors that are not in the log, as what the requests do: "depend on …". */
  readonly doubts: readonly string[]
}

/** Codes of errors that are decided before the request would reach its service, and that are simulated. */
export const DECIDED_BEFORE: ReadonlySet<string> = new Set<ErrorCode>([
  'not-found',
  'method-not-allowed',
  'unauthorized',
  'forbidden',
  'rate-limited',
  'maintenance',
])

/** Tiers that callers have by default, and the name for limits of single consumers. */
const USUAL_TIERS: ReadonlySet<string> = new Set(['authenticated', 'unauthenticated', 'api_key', 'consumer'])

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, isLevelEnabled: () => false }
const nobody: Threads = { askAll: () => Promise.resolve([]), askMain: () => Promise.resolve([]) }
const half = (): number => 0.5

/**
 * One configuration that handles the requests of a log again: its router, and the policies that depend only on what the log contains, are
 * the real ones. The log provides the caller, and the reply of a service that was called; limits count in memory, by the time of the log.
 */
export class Side {
  readonly config: GatewayConfig
  /** All policies, in chain order. */
  readonly chain: readonly Policy[]
  /** The longest window of any limit, in milliseconds. */
  longestWindow = 0
  /** The proof that the last request required; null if none. */
  proof: ProofOptions | null = null
  private readonly same: EqualityCache
  private readonly clock: LogClock
  private readonly routes: ReadonlyMap<string, RouteConfig>
  private readonly routeDoubts: RouteDoubts | null
  private readonly listener: string
  private readonly tiers = new Set<string>()
  private readonly unknowables = new Map<string, ReadonlyMap<string, unknown>>()
  private snapshot: Snapshot | null = null

  // The request in progress: they are handled one at a time.
  private request: LoggedRequest | null = null
  private before: Side | null = null
  private arrived = false
  private service: string | null = null
  private status: number | null = null
  private code: string | null = null
  private counted = false
  private unproved = false
  private doubts: string[] = []

  /** Compiles the configuration. Rejects with PolicyError. */
  static async build(
    config: GatewayConfig,
    chain: readonly Policy[],
    clock: LogClock,
    same: EqualityCache,
  ): Promise<Side> {
    const side = new Side(config, chain, clock, same)
    await side.compile()
    return side
  }

  private constructor(config: GatewayConfig, chain: readonly Policy[], clock: LogClock, same: EqualityCache) {
    this.config = config
    this.chain = chain
    this.clock = clock
    this.same = same
    this.routes = new Map(config.routes.map((route) => [route.id, route]))
    const doubts = new RouteDoubts(config)
    this.routeDoubts = doubts.none ? null : doubts
    const [first] = config.listeners
    this.listener = first === undefined ? '' : listenerName(first)
  }

  /** The route with that id; undefined if there is none. */
  route(id: string): RouteConfig | undefined {
    return this.routes.get(id)
  }

  /** The policies of a route that depend on more than the log contains, with their options. */
  unknowable(id: string): ReadonlyMap<string, unknown> {
    const known = this.unknowables.get(id)
    if (known !== undefined) return known
    const active = activePolicies(this.policiesOf(id), this.chain)
    const made = new Map(
      active.flatMap(([policy, options]) =>
        (policy.decidesBy?.(options) ?? 'content') === 'content'
          ? [[policy.name, [options, policy.version]] as const]
          : [],
      ),
    )
    this.unknowables.set(id, made)
    return made
  }
  /** Whether some policy of a route answers preflights. */
  answersPreflights(id: string): boolean {
    return activePolicies(this.policiesOf(id), this.chain).some(([policy]) => policy.answersPreflights === true)
  }

  private policiesOf(id: string): PoliciesConfig {
    return (this.routes.get(id) ?? this.config).policies
  }

  private async compile(): Promise<void> {
    const { config, chain, clock } = this
    const process = ProcessStores.create(config.stores.memory.entries, half)
    const stores = storesToTry(config.stores.redis, { process, allThreads: nobody, clock, log: silent })
    const toolbox = {
      clock,
      random: half,
      log: silent,
      policies: chain.filter((policy) => policy.decidesBy !== undefined),
      logDroppedFields: () => {},
      overload: { active: false, shed: () => null },
      callService: () => Promise.reject(new Error('no service is asked when a log is replayed')),
      metrics: new ThreadMetrics(() => {}, clock),
      holder: new Holder({}),
      answer: () => () => {},
      threads: nobody,
      ...stores,
      limits: this.watched(stores.limits),
      identify: (_: Exchange, options: ProofOptions) => this.identify(options),
      allows: (options: ProofOptions) => this.allows(options),
      end: (route: RouteConfig) =>
        route.reply === undefined && route.redirect === undefined ? () => this.arrive(route) : null,
    }
    this.snapshot = await Snapshot.build(onlyFacts(config, chain), new Map(), [], toolbox, new TimeSlices(clock))
  }

  private watched(limits: RateLimits): RateLimits {
    return {
      ...limits,
      meter: (limit, mode, store) => {
        const meter = limits.meter(limit, mode, store)
        this.tiers.add(limit.name.split('@', 1)[0] ?? '')
        for (const { window } of limit.quotas) this.longestWindow = Math.max(this.longestWindow, window)
        return {
          decide: (client, cost) => {
            this.counted = true
            return meter.decide(client, cost)
          },
          forget: (client) => meter.forget(client),
        }
      },
    }
  }

  /** The outcome of a request; `before` is the configuration that answered it, which has already run it, or null if unknown. */
  run(request: LoggedRequest, before: Side | null): Outcome | Promise<Outcome> {
    this.request = request
    this.before = before
    this.proof = null
    this.arrived = this.counted = this.unproved = false
    this.service = this.status = this.code = null
    this.doubts = this.routeDoubts?.of(request) ?? []
    const exchange = this.exchangeOf(request)
    let reply: Reply | Promise<Reply> | undefined
    try {
      reply = this.snapshot?.handle(exchange)
    } catch (error) {
      return this.refused(error, exchange)
    }
    if (!(reply instanceof Promise)) return this.replied(reply?.status ?? null, exchange)
    return reply.then(
      ({ status }) => this.replied(status, exchange),
      (error: unknown) => this.refused(error, exchange),
    )
  }

  private exchangeOf({
    method,
    scheme,
    host,
    path,
    query,
    fields,
    listener,
    address,
    start,
  }: LoggedRequest): ServerExchange {
    const client: Client = {
      address,
      scheme,
      host: null,
      claims: '',
      proxied: false,
      certificate: null,
      hops: [address],
      peerCertificate: null,
      forwardingFields: () => '',
    }
    const headers = this.routeDoubts === null ? Headers.of() : headersOf(fields)
    const target = path + query
    const exchange = internalExchange({ method, target, host, headers, client, start })
    exchange.target = target
    exchange.listener = listener ?? this.listener
    return exchange
  }

  private refused(error: unknown, exchange: ServerExchange): Outcome {
    const { code, status } = asGatewayError(error)
    return this.ended(code, status, exchange)
  }

  private replied(status: number | null, exchange: ServerExchange): Outcome {
    const refusal = exchange.error
    if (refusal !== null) return this.ended(refusal.code, refusal.status, exchange)
    return this.ended(this.code, this.arrived ? this.status : status, exchange)
  }

  private ended(code: string | null, status: number | null, { route, consumer }: ServerExchange): Outcome {
    const { arrived, doubts } = this
    if (code === 'unauthorized' && this.unproved)
      doubts.push('depend on credentials that were not checked when the log was written')
    if (this.counted && consumer !== null && this.request?.tier === undefined && !isSubset(this.tiers, USUAL_TIERS))
      doubts.push('depend on the tier of the caller: log it with log.access.replay')
    return { route: route.id, status, service: arrived ? this.service : route.service, code, arrived, doubts }
  }

  /** The request has reached the target of its route, which replies as it did then. */
  private arrive(route: RouteConfig): Reply {
    this.arrived = true
    const { request } = this
    const services = servicesOf(route)
    const logged = request?.service ?? null
    this.service = logged !== null && services.includes(logged) ? logged : (services[0] ?? null)
    if (services.length > 1 && this.service !== logged)
      this.doubts.push(`depend on the split of the route ${route.id}, which chooses at random`)
    if (request !== null && hasReplied(request, route)) {
      this.status = request.status
      this.code = request.code
    }
    return new Reply(this.status ?? 200, Headers.of(), null)
  }

  /** The caller, as recorded in the log. */
  private identify(options: ProofOptions): Consumer | null {
    this.proof = options
    const { request, before } = this
    if (request === null) return null
    const { user, key, tier, code } = request
    const known = before === null ? options : before.proof
    const proved = user !== null || key !== null
    if (known !== null && !this.same.of(known.methods, options.methods) && (proved || code === 'unauthorized'))
      this.doubts.push('depend on credentials, whose methods have changed')
    this.unproved = !proved && (before === null ? code !== 'unauthorized' : before.proof === null)
    if (!proved) return null
    const own = tier ?? (key === null ? 'authenticated' : 'api_key')
    return { id: user ?? key ?? '', roles: [], scopes: [], tier: own, key, claims: {} }
  }

  /** Whether the caller met the requirements, as the log shows if the requirements were the same. */
  private allows({ require }: ProofOptions): boolean {
    const { request, before } = this
    const known = before === null ? require : before.proof?.require
    if (this.same.of(known, require)) return request?.code !== 'forbidden'
    if (request?.roles === 0 && require.roles.length > 0) return false
    this.doubts.push('depend on whether callers meet the new requirements: roles, scopes or rules')
    return true
  }
}

/** Whether the logged reply came from the target of the route. */
function hasReplied({ service, code, route }: LoggedRequest, { id, files }: RouteConfig): boolean {
  if (files !== undefined) return route === id
  return service !== null && (code === null || !DECIDED_BEFORE.has(code))
}

/** The configuration reduced to the policies that depend only on what the log contains. */
function onlyFacts(config: GatewayConfig, chain: readonly Policy[]): GatewayConfig {
  const known = new Map<PoliciesConfig, PoliciesConfig>()
  const reduced = (policies: PoliciesConfig): PoliciesConfig => {
    const made =
      known.get(policies) ??
      Object.fromEntries(
        activePolicies(policies, chain)
          .filter(([policy, options]) => policy.decidesBy?.(options) === 'facts')
          .map(([{ name }, options]) => [name, options]),
      )
    known.set(policies, made)
    return made
  }
  const routes = config.routes.map((route) => ({ ...route, policies: reduced(route.policies) }))
  return { ...config, policies: reduced(config.policies), routes }
}

function headersOf(fields: LoggedRequest['fields']): Headers {
  const headers = Headers.of()
  for (const [name, value] of Object.entries(fields))
    try {
      if (value !== null) headers.append(name, value)
    } catch {
      // A value that cannot occur in a request was put into the log by someone else.
    }
  return headers
}

function isSubset(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return [...one].every((each) => other.has(each))
}
