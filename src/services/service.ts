import type { Clock } from '../core/clock.ts'
import type { Deadlines } from '../http/deadlines.ts'
import type { ServiceTimeouts } from '../http/outgoing-request.ts'
import type { OutgoingTls, OutgoingTlsOptions } from '../tls/outgoing.ts'
import type { Balancer } from './balancers/balancer.ts'
import { Candidates } from './balancers/candidates.ts'
import { balancerFor } from './balancers/index.ts'
import { seenFrom, ZoneFirst } from './balancers/zone-first.ts'
import { createLimit } from './concurrency/create-limit.ts'
import type { ConcurrencyLimit } from './concurrency/limit.ts'
import type { ServiceLoad } from './concurrency/service-loads.ts'
import { Shedding } from './concurrency/shedding.ts'
import type { HealthBoard } from './health/board.ts'
import { Hedge } from './hedge/hedge.ts'
import { hedgeBudget } from './hedge/index.ts'
import { instanceOutcomes, Retries } from './instance-metrics.ts'
import type { OutcomeListener } from './outcome.ts'
import { PassiveHealth } from './passive/passive-health.ts'
import type { PooledInstance } from './pooled-instance.ts'
import { type RetryOptions, type RouteRetry, retryOf } from './retry/index.ts'
import { Retry } from './retry/retry.ts'
import { RetryBudget } from './retry/retry-budget.ts'
import { type ConnectionTools, ServiceConnections } from './service-connections.ts'
import type { RouteTimeouts, ServiceOptions } from './service-options.ts'
import { SlowStart } from './slow-start/slow-start.ts'
import { StalledAttempts } from './stalled-attempts.ts'
import { createSticky } from './sticky/index.ts'
import type { Sticky } from './sticky/sticky.ts'

/** The dependencies of services in a thread. */
export interface ServiceTools extends ConnectionTools {
  /** Keys for the affinity marks given to clients; empty if no service uses them. */
  readonly stickyKeys: readonly Uint8Array[]
  /** Zone of the gateway; null if unknown. */
  readonly zone: string | null
}

/** What already exists for one service. */
export interface ServicePlace {
  /** The slots of its instances on the health board, by address. */
  readonly slots: ReadonlyMap<string, number>
  /** The same service in the previous configuration; null if there is none. */
  readonly previous: Service | null
}

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
  private readonly connections: ServiceConnections

  constructor(name: string, options: ServiceOptions, { slots, previous }: ServicePlace, tools: ServiceTools) {
    const { board, deadlines, random, metrics, stickyKeys: keys } = tools
    const { host, timeouts, sticky, http2 } = options
    this.name = name
    this.options = options
    this.host = host
    this.clock = deadlines.clock
    this.deadlines = deadlines
    this.version = http2 ? '2' : '1.1'
    this.timeouts = { responseTimeout: timeouts.response, idleTimeout: timeouts.idle }
    this.retries = new Retries(metrics, name)
    this.connections = new ServiceConnections(name, options, slots, previous?.connections ?? null, tools)
    this.tls = this.connections.tls
    this.instances = this.connections.instances
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
    this.connections.takeOver()
  }

  /** Applies new content of the TLS files to new connections. Throws an Error for anything OpenSSL rejects. */
  exchangeTls(options: OutgoingTlsOptions): void {
    this.connections.exchangeTls(options)
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
