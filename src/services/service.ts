import { present } from '../core/present.ts'
import { isDeepStrictEqual } from 'node:util'
import { type Address, formatAddress } from '../core/address.ts'
import type { Clock } from '../core/clock.ts'
import type { Metrics } from '../core/metrics.ts'
import { type Holder, Shared } from '../core/shared.ts'
import type { Deadlines } from '../http/deadlines.ts'
import type { LanePool } from '../http/lane.ts'
import type { ServiceTimeouts } from '../http/outgoing-request.ts'
import type { PoolBounds, PoolOptions } from '../http/pool-options.ts'
import { ConnectionPool } from '../http1/pool.ts'
import { StreamPool } from '../http2/pool.ts'
import { proxyHeader, type ProxyVersion } from '../proxy-protocol/written-header.ts'
import { OutgoingTls, type OutgoingTlsOptions } from '../tls/outgoing.ts'
import type { Balancer } from './balancers/balancer.ts'
import { Candidates } from './balancers/candidates.ts'
import { balancerFor, type BalancerOptions } from './balancers/index.ts'
import { seenFrom, ZoneFirst } from './balancers/zone-first.ts'
import { createLimit } from './concurrency/create-limit.ts'
import type { ConcurrencyOptions } from './concurrency/index.ts'
import type { ConcurrencyLimit } from './concurrency/limit.ts'
import type { ServiceLoad } from './concurrency/service-loads.ts'
import { Shedding } from './concurrency/shedding.ts'
import { connectionKey, type ServiceTlsOptions } from './connection-key.ts'
import type { HealthBoard } from './health/board.ts'
import { Hedge } from './hedge/hedge.ts'
import { hedgeBudget, type HedgeOptions } from './hedge/index.ts'
import { instanceOutcomes, Retries } from './instance-metrics.ts'
import { LiveInstance, liveInstances } from './live-instance.ts'
import type { OutcomeListener } from './outcome.ts'
import type { PassiveOptions } from './passive/index.ts'
import { PassiveHealth } from './passive/passive-health.ts'
import { PooledInstance } from './pooled-instance.ts'
import { type RetryOptions, type RouteRetry, retryOf } from './retry/index.ts'
import { Retry } from './retry/retry.ts'
import { RetryBudget } from './retry/retry-budget.ts'
import { SlowStart } from './slow-start/slow-start.ts'
import { StalledAttempts } from './stalled-attempts.ts'
import { createSticky, type StickyOptions } from './sticky/index.ts'
import type { Sticky } from './sticky/sticky.ts'

/** An instance, configured or discovered. */
export interface InstanceOptions {
  readonly url: { readonly scheme: 'http' | 'https'; readonly host: string; readonly port: number }
  readonly weight: number
  /** Zone of the instance; omitted if unknown. */
  readonly zone?: string | null | undefined
}

/** Options of a service; times in milliseconds. */
export interface ServiceOptions {
  readonly instances: readonly InstanceOptions[]
  readonly balancer: BalancerOptions
  /** Session affinity; omitted if there is none. */
  readonly sticky?: StickyOptions | undefined
  /** When instances are ejected because of their replies; false or omitted for never. */
  readonly passive?: PassiveOptions | false | undefined
  readonly concurrency: ConcurrencyOptions
  /** How long a new instance gets less than its full share; 0 or omitted to disable this. */
  readonly slowStart?: number | undefined
  /** Which requests are retried on another instance; false or omitted for none. */
  readonly retry?: RetryOptions | false | undefined
  /** When requests are hedged to a second instance; false or omitted for never. */
  readonly hedge?: HedgeOptions | false | undefined
  readonly timeouts: {
    readonly connect: number
    readonly response: number
    readonly idle: number
    /** Time limit across all attempts; omitted for none. */
    readonly total?: number | undefined
  }
  readonly pool: {
    readonly connections: number
    readonly streams: number
    readonly queue: number
    readonly queueTimeout: number
    readonly idleTimeout: number
    readonly lifetime: number
  }
  /** Limits for the replies of the service. */
  readonly limits: { readonly head: number; readonly headers: number }
  /** 'client', 'instance', or a fixed Host value. */
  readonly host: string
  /** TLS options for https instances. */
  readonly tls?: ServiceTlsOptions | undefined
  /** The version of the PROXY protocol that its instances expect, or 'off'. */
  readonly proxyProtocol: ProxyVersion | 'off'
  /** Whether its instances are reached over HTTP/2. */
  readonly http2: boolean
}

/** A route's own timeouts, in milliseconds, which take precedence over its service's. */
export interface RouteTimeouts {
  readonly response?: number | undefined
  readonly idle?: number | undefined
  readonly total?: number | undefined
}

/** The dependencies of services in a thread. */
export interface ServiceTools {
  readonly board: HealthBoard
  readonly deadlines: Deadlines
  readonly random: () => number
  readonly metrics: Metrics
  /** Keys for the affinity marks given to clients; empty if no service uses them. */
  readonly stickyKeys: readonly Uint8Array[]
  /** Zone of the gateway; null if unknown. */
  readonly zone: string | null
  /** The holder of the configuration that the service belongs to. */
  readonly holder: Holder
}

/** What already exists for one service. */
export interface ServicePlace {
  /** The slots of its instances on the health board, by address. */
  readonly slots: ReadonlyMap<string, number>
  /** The same service in the previous configuration; null if there is none. */
  readonly previous: Service | null
}

/** TLS contexts for services in a thread, by service name and `connectionKey`. */
const sharedTls = new Shared<OutgoingTls>()

/** A named group of interchangeable instances, as defined by one configuration, in one thread. */
export class Service {
  readonly name: string
  /** 'client', 'instance', or a fixed Host value. */
  readonly host: string
  readonly instances: readonly PooledInstance[]
  readonly balancer: Balancer<PooledInstance>
  /** Null if every request is balanced. */
  readonly sticky: Sticky<PooledInstance> | null
  readonly clock: Clock
  readonly deadlines: Deadlines
  readonly retries: Retries
  /** Null if requests that reached an instance are never resent. */
  readonly retry: Retry | null
  /** Null if requests are never hedged. */
  readonly hedge: Hedge | null
  /** Budget counters of retries and hedged requests; null if neither is used. */
  readonly repeats: RetryBudget | null
  /** Attempts waiting for its instances; null if none of these is ever considered stalled. */
  readonly stalled: StalledAttempts | null
  /** Limits how many of its requests may wait at a time; null for no limit. */
  readonly limit: ConcurrencyLimit | null
  readonly shedding: Shedding
  /** Listeners for the outcomes of attempts, in this order. */
  readonly listeners: readonly OutcomeListener<PooledInstance>[]
  /** The listeners that are also notified when an attempt begins. */
  readonly beginners: readonly OutcomeListener<PooledInstance>[]
  readonly timeouts: ServiceTimeouts
  /** TLS context for new connections; null if they are unencrypted. */
  readonly tls: OutgoingTls | null
  /** The version of HTTP spoken with its instances. */
  readonly version: '1.1' | '2'
  /** The balancer without slow start. */
  private readonly evenly: Balancer<PooledInstance>
  private readonly slowStart: SlowStart<PooledInstance> | null
  private readonly options: ServiceOptions
  /** Retry policies of routes with their own settings. */
  private readonly routeRetries = new Map<RouteRetry, Retry | null>()
  private readonly makeRetry: (options: RetryOptions | false) => Retry | null
  private readonly board: HealthBoard
  private readonly bounds: PoolBounds
  /** Whether the pools already have these bounds, because the previous configuration has the same ones. */
  private readonly settled: boolean

  constructor(name: string, options: ServiceOptions, { slots, previous }: ServicePlace, tools: ServiceTools) {
    const { board, deadlines, random, metrics, holder, stickyKeys: keys } = tools
    const { host, timeouts, proxyProtocol, sticky, http2 } = options
    this.name = name
    this.options = options
    this.host = host
    this.clock = deadlines.clock
    this.deadlines = deadlines
    this.version = http2 ? '2' : '1.1'
    this.timeouts = { responseTimeout: timeouts.response, idleTimeout: timeouts.idle }
    this.retries = new Retries(metrics, name)
    this.bounds = boundsOf(options, random)
    this.settled = previous !== null && isDeepStrictEqual(bounding(options), bounding(previous.options))
    const secure = options.instances.some(({ url }) => url.scheme === 'https')
    const settings = secure ? (options.tls ?? {}) : null
    const key = connectionKey(settings, proxyProtocol, http2)
    this.tls =
      settings === null ? null : sharedTls.get(holder, `${name} ${key}`, () => new OutgoingTls(settings, this.clock))
    const slow = metrics.counter('sallyport_slow_clients_total', { reason: 'waited-for' })
    const connected = { onPreempted: (): void => slow.add(1), introduction: introductionOf(proxyProtocol) }
    const makePool = ({ host: to, port }: Address): LanePool => {
      const encryption = this.tls?.to(to, http2 ? 'h2' : 'http/1.1') ?? null
      const poolOptions = { ...this.bounds, ...connected, host: to, port, encryption }
      return http2 ? new StreamPool(poolOptions, deadlines) : new ConnectionPool(poolOptions, deadlines)
    }
    this.instances = options.instances.map(({ url, weight }) => {
      const address = formatAddress(url)
      const make = (): LiveInstance => new LiveInstance(name, address, makePool(url), metrics)
      const live = liveInstances.get(holder, `${name} ${address} ${key}`, make)
      return new PooledInstance(live, board.requests, url, weight, present(slots.get(address), `slot of ${address}`))
    })
    const { clock } = this
    this.evenly = this.balance(tools, previous?.evenly ?? null)
    this.slowStart = this.startSlowly(tools, previous)
    this.balancer = this.slowStart ?? this.evenly
    this.board = board
    const load = board.loads.of(name)
    this.makeRetry = (retry) => this.retryBy(retry, tools, load)
    this.retry = this.makeRetry(options.retry ?? false)
    this.hedge = this.makeHedge(tools, load, previous?.hedge ?? null)
    this.repeats = this.retry?.budget ?? this.hedge?.budget ?? null
    const limit = createLimit(options.concurrency, load, clock)
    this.limit = limit
    this.shedding = new Shedding(name, metrics, random)
    const others: readonly (Partial<OutcomeListener<PooledInstance>> | null)[] = [this.evenly, limit, this.hedge]
    const passive = this.passiveHealth(board, random)
    this.listeners = [instanceOutcomes, ...others.filter(listens), ...passive]
    this.stalled = passive.length === 0 ? null : new StalledAttempts(board, deadlines)
    this.beginners = this.listeners.filter((listener) => 'began' in listener)
    this.sticky = sticky === undefined ? null : createSticky(name, sticky, this.instances, { board, clock, keys })
  }

  /** The retry policy for a route's own settings; null if nothing is retried. */
  retryFor(route: RouteRetry): Retry | null {
    const known = this.routeRetries.get(route)
    if (known !== undefined) return known
    const made = this.makeRetry(retryOf(this.options.retry ?? false, route))
    this.routeRetries.set(route, made)
    return made
  }

  private retryBy(retry: RetryOptions | false, { random, metrics }: ServiceTools, load: ServiceLoad): Retry | null {
    if (retry === false) return null
    const exhausted = metrics.counter('sallyport_retry_budget_exhausted_total', { service: this.name })
    if (this.instances.length < 2) return null
    const budget = new RetryBudget(load.retries, load.slot, retry, this.deadlines)
    return new Retry(retry, budget, exhausted, random)
  }

  private makeHedge({ metrics }: ServiceTools, load: ServiceLoad, previous: Hedge | null): Hedge | null {
    const { hedge = false } = this.options
    if (hedge === false || this.instances.length < 2) return null
    const budget = new RetryBudget(load.retries, load.slot, hedgeBudget(hedge), this.deadlines, 'hedge')
    return new Hedge(this.name, hedge, { clock: this.clock, metrics, budget }, previous)
  }

  /** Whether the instance is new and currently gets less than its full share. */
  startsSlowly(instance: PooledInstance): boolean {
    return this.slowStart !== null && this.slowStart.holdsBack(instance)
  }

  /** Number of consecutive failures of the instance, as far as they are counted. */
  failuresOf({ slot }: PooledInstance): number {
    return this.board.ejections.row(slot)
  }

  private passiveHealth(board: HealthBoard, random: () => number): PassiveHealth[] {
    const { passive = false } = this.options
    // With fewer than two instances there is nothing to compare with or to switch to.
    if (passive === false || this.instances.filter(({ weight }) => weight > 0).length < 2) return []
    return [new PassiveHealth(passive, this.instances, { board, random, holder: board.worker }, this.deadlines)]
  }

  /** The configured balancer, restricted to the gateway's zone where possible. */
  private balance(
    { board, random, zone }: ServiceTools,
    previous: Balancer<PooledInstance> | null,
  ): Balancer<PooledInstance> {
    const { instances, options, clock } = this
    const kind = balancerFor(options.balancer)
    const zones = new Map(instances.map((instance, i) => [instance, options.instances[i]?.zone ?? null]))
    const own = kind.ignoresZones === true ? null : zone
    const zoned = seenFrom(own, instances, (instance) => zones.get(instance) ?? null)
    if (zoned !== null) return new ZoneFirst(zoned, kind, board, { clock, random }, previous)
    return kind.create(new Candidates(instances, board), { clock, random }, previous)
  }

  private startSlowly({ board, random }: ServiceTools, previous: Service | null): SlowStart<PooledInstance> | null {
    const { slowStart = 0 } = this.options
    if (slowStart === 0) return null
    const before = {
      list: previous?.instances.filter(({ slot }) => board.usable(slot)) ?? null,
      slowStart: previous?.slowStart ?? null,
    }
    const candidates = new Candidates(this.instances, board)
    return new SlowStart(this.evenly, candidates, { clock: this.clock, random }, slowStart, before)
  }

  /** Applies this configuration to shared resources: pool bounds and the content of TLS files. */
  takeOver(): void {
    if (!this.settled) for (const instance of this.instances) instance.configure(this.bounds)
    this.exchangeTls(this.options.tls ?? {})
  }

  /** Applies new content of the TLS files to new connections. Throws an Error for anything OpenSSL rejects. */
  exchangeTls(options: OutgoingTlsOptions): void {
    const { tls } = this
    if (tls !== null && !holdsSame(tls.options, options)) tls.exchange(options)
  }

  /** The service's timeouts, or the route's own ones; for streaming exchanges only the route's own apply. */
  timeoutsWith({ response, idle }: RouteTimeouts, streaming = false): ServiceTimeouts {
    const { responseTimeout, idleTimeout } = streaming ? ENDLESS : this.timeouts
    return { responseTimeout: response ?? responseTimeout, idleTimeout: idle ?? idleTimeout }
  }

  /** The total time limit in milliseconds, or 0 for none, with the route's own limit taking precedence. */
  totalWith({ total }: RouteTimeouts, streaming = false): number {
    return total ?? (streaming ? 0 : (this.options.timeouts.total ?? 0))
  }
}

const ENDLESS: ServiceTimeouts = {
  responseTimeout: Number.POSITIVE_INFINITY,
  idleTimeout: Number.POSITIVE_INFINITY,
}

function listens(one: Partial<OutcomeListener<PooledInstance>> | null): one is OutcomeListener<PooledInstance> {
  return one?.ended !== undefined
}

/** The options that determine the bounds of pools. */
function bounding({ pool, timeouts, limits }: ServiceOptions) {
  return { pool, timeouts, limits }
}

function boundsOf({ pool, timeouts, limits }: ServiceOptions, random: () => number): PoolBounds {
  return {
    head: limits.head,
    headers: limits.headers,
    connections: pool.connections,
    streams: pool.streams,
    queue: pool.queue,
    queueTimeout: pool.queueTimeout,
    poolTimeout: pool.idleTimeout,
    lifetime: () => pool.lifetime * (0.9 + 0.2 * random()),
    connectTimeout: timeouts.connect,
    responseTimeout: timeouts.response,
    idleTimeout: timeouts.idle,
  }
}

function introductionOf(version: ProxyVersion | 'off'): PoolOptions['introduction'] {
  return version === 'off' ? null : (client, socket) => proxyHeader(version, client, socket)
}

function holdsSame(one: OutgoingTlsOptions, other: OutgoingTlsOptions): boolean {
  return one.ca === other.ca && one.cert === other.cert && one.key === other.key
}
