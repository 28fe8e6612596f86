import { randomUUID } from 'node:crypto'
import type { GatewayConfig } from '../config/schema.ts'
import type { Address } from '../core/address.ts'
import type { Clock } from '../core/clock.ts'
import type { Policy } from '../core/component.ts'
import { asGatewayError } from '../core/errors.ts'
import type { Exchange } from '../core/exchange.ts'
import { errorReply, problemReply } from '../core/problem.ts'
import type { Reply } from '../core/reply.ts'
import type { Answers, Threads } from '../core/threads.ts'
import { Deadlines } from '../http1/deadlines.ts'
import type { PoolSize } from '../http1/pool.ts'
import { Listener, type Receiver } from '../listener/listener.ts'
import { TrustedProxies } from '../listener/trusted-proxies.ts'
import { callService } from '../services/call.ts'
import type { HealthBoard } from '../services/health/board.ts'
import { healthDocument } from '../services/health/report.ts'
import type { SlotTable } from '../services/health/slots.ts'
import { Service } from '../services/service.ts'
import { LimitStores } from '../stores/limit-stores.ts'
import { RedisConnection } from '../stores/redis/connection.ts'
import type { SharedTable } from '../stores/memory/table.ts'
import { RequestMetrics } from '../telemetry/metrics/request-metrics.ts'
import { type RuntimeWatch, watchRuntime } from '../telemetry/metrics/runtime.ts'
import { type NewSeries, readingsTopic, ThreadMetrics } from '../telemetry/metrics/thread-metrics.ts'
import { type AccessLog, createAccessLog } from '../telemetry/access-log.ts'
import type { LogOutput } from '../telemetry/logger.ts'
import { makeStringsFast } from './fast-strings.ts'
import { isOwn, ownRoutes, type Readiness } from './own-routes.ts'
import { Snapshot } from './snapshot.ts'
import { version } from './version.ts'

/** How long the start waits for Redis, in milliseconds. */
const REDIS_PATIENCE = 1000

export interface FrontOptions {
  readonly config: GatewayConfig
  /** Every policy that the configuration may name, in the order of the chain. */
  readonly policies: readonly Policy[]
  readonly board: HealthBoard
  readonly slots: SlotTable
  /** The counts of rate limits. */
  readonly limits: SharedTable
  readonly output: LogOutput
  /** Tells the main thread of metrics that this one begins to count. */
  readonly announce: (series: NewSeries) => void
  /** What this thread answers. */
  readonly answers: Answers
  /** All threads, to be asked. */
  readonly threads: Threads
  readonly clock: Clock
  readonly random: () => number
  /** Number of this thread among the workers: 0 for the first. */
  readonly worker: number
}

/** What one thread does: its listeners, its connections to the services, and the snapshot between them. */
export class Front implements Receiver {
  private readonly options: FrontOptions
  private readiness: Readiness = 'starting'
  private readonly deadlines: Deadlines
  private readonly services: ReadonlyMap<string, Service>
  private readonly redis: RedisConnection | null
  private readonly snapshot: Snapshot
  private readonly listeners: readonly Listener[]
  private readonly accessLog: AccessLog | null
  private readonly requestMetrics: RequestMetrics
  private readonly runtime: RuntimeWatch
  /** Probes of the gateway's own endpoints come every few seconds: they are logged where everything is. */
  private readonly logsOwn: boolean

  constructor(options: FrontOptions) {
    const { config, board, slots, limits, output, clock, random } = options
    makeStringsFast()
    this.options = options
    this.deadlines = new Deadlines(clock)
    this.logsOwn = output.log.isLevelEnabled('debug')
    this.accessLog = config.log.access ? createAccessLog(output, clock) : null
    const metrics = new ThreadMetrics(options.announce, clock)
    metrics.watch('http_active_connections', {}, () => this.connections)
    this.runtime = watchRuntime(metrics, options.worker)
    metrics.watch('sallyport_requests_in_flight', {}, () => this.inFlight)
    options.answers.on(readingsTopic, (asked) => metrics.read(asked))
    // Nothing is traced yet: no request is an example of anything.
    this.requestMetrics = new RequestMetrics(metrics, () => null)
    this.services = new Map(
      Object.entries(config.services).map(([name, service]) => [
        name,
        new Service(name, service, slots[name] ?? [], board, this.deadlines, config.limits, random, metrics),
      ]),
    )
    const { redis } = config.stores
    this.redis = redis === null ? null : new RedisConnection(redis, clock, output.log, metrics)
    const { threads } = options
    const own = ownRoutes({ readiness: () => this.readiness, health: () => this.health(), threads })
    const shown = own.filter(({ endpoint }) => config.endpoints.includes(endpoint))
    this.snapshot = new Snapshot(config, this.services, shown, {
      clock,
      random,
      log: output.log,
      policies: options.policies,
      callService: (name, request) => callService(this.services, name, request, clock),
      metrics,
      limits: new LimitStores({ table: limits, redis: this.redis, clock }),
    })
    const proxies = new TrustedProxies(config.trustedProxies)
    this.listeners = config.listeners.map(() => new Listener(this, proxies, config.limits, this.deadlines))
  }

  /**
   * Listens on the addresses, one for each listener of the configuration, and resolves with the actual ones.
   * `shared` lets other threads listen on the same ones. Rejects with the error of the first that is not to be had.
   */
  async listen(addresses: readonly Address[], shared: boolean): Promise<Address[]> {
    await this.redis?.connected(REDIS_PATIENCE)
    return Promise.all(this.listeners.map((listener, index) => listener.listen(addresses[index]!, shared)))
  }

  /** The first health checks are through. */
  becomeReady(): void {
    if (this.readiness === 'starting') this.readiness = 'ready'
  }

  /** Open client connections. */
  get connections(): number {
    return this.listeners.reduce((sum, listener) => sum + listener.size, 0)
  }

  private get inFlight(): number {
    return this.listeners.reduce((sum, listener) => sum + listener.inFlight, 0)
  }

  /** Connections and waiting requests whose time is watched. */
  get watched(): number {
    return this.deadlines.size
  }

  /** Service -> the pools of its instances, in the order of the configuration. */
  get pools(): Readonly<Record<string, readonly PoolSize[]>> {
    return Object.fromEntries(
      [...this.services].map(([name, { instances }]) => [name, instances.map(({ pool }) => pool.size)]),
    )
  }

  /** Stops accepting, lets exchanges end within `timeout` ms, and closes everything. Resolves with how many were cut off. */
  async drain(timeout: number): Promise<number> {
    this.readiness = 'draining'
    const { clock } = this.options
    const cutOff = await Promise.all(this.listeners.map((listener) => listener.drain(timeout, clock)))
    for (const service of this.services.values()) service.close()
    this.redis?.close()
    this.deadlines.close()
    this.runtime.stop()
    return cutOff.reduce((sum, count) => sum + count, 0)
  }

  handle(exchange: Exchange): Reply | Promise<Reply> {
    return this.snapshot.handle(exchange)
  }

  refuse(error: unknown, peer: string, exchange: Exchange | null): Reply {
    if (exchange !== null) return errorReply(error, exchange)
    this.requestMetrics.refused(asGatewayError(error).code)
    const id = randomUUID()
    this.options.output.log.info({ ip_address: peer, correlation_id: id, error }, 'Request refused')
    return problemReply(error, id)
  }

  done(exchange: Exchange, status: number, bytes: number, whole: boolean): void {
    const { output, clock } = this.options
    const end = clock.now()
    this.requestMetrics.record(exchange, status, bytes, whole, end)
    if (this.logsOwn || !isOwn(exchange.route)) this.accessLog?.(exchange, status, bytes, end)
    const { error } = exchange
    if (error !== null && error.fault !== 'client') {
      const { route, instance, correlationId } = exchange
      const fields = { correlation_id: correlationId, route: route.id, service: route.service, instance, error }
      if (error.fault === 'gateway') output.log.error(fields, 'Request failed in the gateway')
      else output.log.warn(fields, 'Request failed in the service')
    } else if (!whole && !exchange.aborted) {
      output.log.warn({ correlation_id: exchange.correlationId, instance: exchange.instance }, 'Reply broke off')
    }
  }

  private health() {
    const { config, board, slots, clock } = this.options
    const reports = Object.keys(config.services).map((service) => ({
      service,
      instances: (slots[service] ?? []).map((slot) => ({ state: board.state(slot) })),
    }))
    return healthDocument(reports, version, clock.wall())
  }
}
