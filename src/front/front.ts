import { randomUUID } from 'node:crypto'
import type { GatewayConfig } from '../config/schema.ts'
import type { Address } from '../core/address.ts'
import type { Clock } from '../core/clock.ts'
import type { Policy } from '../core/component.ts'
import { rootCause } from '../core/errors.ts'
import { errorReply, problemReply } from '../core/problem.ts'
import type { Reply } from '../core/reply.ts'
import { ExchangeRecord } from '../core/record.ts'
import type { Answers, Threads } from '../core/threads.ts'
import { UNTRACED } from '../core/trace.ts'
import { newTraceId } from '../core/trace-ids.ts'
import { Deadlines } from '../http1/deadlines.ts'
import type { PoolSize } from '../http1/pool.ts'
import type { ServerExchange } from '../http1/server-exchange.ts'
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
import { type AccessLog, createAccessLog } from '../telemetry/access-log.ts'
import type { LogOutput } from '../telemetry/logger.ts'
import type { Tracing } from '../telemetry/tracing.ts'
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
  readonly tracing: Tracing
  /** What this thread answers. */
  readonly answers: Answers
  /** All threads, to be asked. */
  readonly threads: Threads
  readonly clock: Clock
  readonly random: () => number
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
  private readonly timings: boolean

  constructor(options: FrontOptions) {
    const { config, board, slots, limits, output, clock, random } = options
    this.options = options
    this.deadlines = new Deadlines(clock)
    const { access } = config.log
    const silent = new Set(config.routes.filter((route) => !route.log).map(({ id }) => id))
    this.accessLog = access === false ? null : createAccessLog(output, clock, { ...access, silent })
    this.timings = access !== false && access.timings
    this.services = new Map(
      Object.entries(config.services).map(([name, service]) => [
        name,
        new Service(name, service, slots[name] ?? [], board, this.deadlines, config.limits, random),
      ]),
    )
    const { redis } = config.stores
    this.redis = redis === null ? null : new RedisConnection(redis, clock, output.log)
    const own = ownRoutes({ readiness: () => this.readiness, health: () => this.health() })
    this.snapshot = new Snapshot(config, this.services, own, {
      clock,
      random,
      log: output.log,
      policies: options.policies,
      timings: this.timings,
      callService: (name, request) => callService(this.services, name, request, clock),
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
    await this.options.tracing.close()
    return cutOff.reduce((sum, count) => sum + count, 0)
  }

  handle(exchange: ServerExchange): Reply | Promise<Reply> {
    this.options.tracing.begin(exchange)
    if (this.timings) exchange.record ??= new ExchangeRecord(this.options.clock)
    return this.snapshot.handle(exchange)
  }

  refuse(error: unknown, peer: string, exchange: ServerExchange | null): Reply {
    if (exchange !== null) {
      if (exchange.trace === UNTRACED) this.options.tracing.begin(exchange)
      return errorReply(error, exchange)
    }
    const [id, traceId] = [randomUUID(), newTraceId()]
    this.options.output.log.info({ ip_address: peer, correlation_id: id, trace_id: traceId, error }, 'Request refused')
    return problemReply(error, id, traceId)
  }

  done(exchange: ServerExchange, status: number, bytes: number, whole: boolean): void {
    const { output, clock, tracing } = this.options
    const end = clock.now()
    const own = isOwn(exchange.route)
    // Probes of the gateway's own endpoints come every few seconds: they are logged where everything is.
    if (!own || output.log.isLevelEnabled('debug')) this.accessLog?.(exchange, status, bytes, end)
    if (!own && exchange.record !== null) tracing.done(exchange, { status, bytes, whole, end })
    const { error } = exchange
    if (error !== null && error.fault !== 'client') {
      const { code, fault } = error
      const fields = { ...aboutExchange(exchange), code, fault, cause: rootCause(error), error }
      if (error.fault === 'gateway') output.log.error(fields, 'Request failed in the gateway')
      else output.log.warn(fields, 'Request failed in the service')
    } else if (!whole && !exchange.aborted) {
      output.log.warn(aboutExchange(exchange), 'Reply broke off')
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

/** What a line of the log about the exchange says of it. */
function aboutExchange({ correlationId, trace, route, instance }: ServerExchange): object {
  return { correlation_id: correlationId, trace_id: trace.traceId, route: route.id, service: route.service, instance }
}
