import type { Socket } from 'node:net'
import { formatAddress, formatAuthority } from '../core/address.ts'
import type { Clock } from '../core/clock.ts'
import type { Metrics } from '../core/metrics.ts'
import type { Deadlines } from '../http/deadlines.ts'
import type { LanePool } from '../http/lane.ts'
import type { ServiceTimeouts } from '../http/outgoing-request.ts'
import { ConnectionPool } from '../http1/pool.ts'
import { OutgoingTls, type OutgoingTlsOptions } from '../tls/outgoing.ts'
import type { Balancer } from './balancers/balancer.ts'
import { Candidates } from './balancers/candidates.ts'
import { balancers, type BalancerName } from './balancers/index.ts'
import type { HealthBoard } from './health/board.ts'
import type { Instance } from './instance.ts'
import { proxyHeader, type ProxyVersion } from '../proxy-protocol/written-header.ts'
import { InstanceMetrics, Retries, watchInstance } from './instance-metrics.ts'

/** What a service is made of; times are milliseconds. */
export interface ServiceOptions {
  readonly instances: readonly {
    readonly url: { readonly scheme: 'http' | 'https'; readonly host: string; readonly port: number }
    readonly weight: number
  }[]
  readonly balancer: BalancerName
  readonly timeouts: { readonly connect: number; readonly response: number; readonly idle: number }
  readonly pool: {
    readonly connections: number
    readonly streams: number
    readonly queue: number
    readonly queueTimeout: number
    readonly idleTimeout: number
    readonly lifetime: number
  }
  /** Of what the service replies. */
  readonly limits: { readonly head: number; readonly headers: number }
  /** 'client', 'instance', or the Host to send. */
  readonly host: string
  /** How its https instances are connected to. */
  readonly tls?: OutgoingTlsOptions | undefined
  /** The version of the PROXY protocol that its instances read, or 'off'. */
  readonly proxyProtocol: ProxyVersion | 'off'
}

/** What a route may say in place of its service, in milliseconds. */
export interface RouteTimeouts {
  readonly response?: number | undefined
  readonly idle?: number | undefined
}

/** An instance with this thread's lanes to it. */
export interface PooledInstance extends Instance {
  /** Its name in a Host field. */
  readonly authority: string
  readonly pool: LanePool
  readonly metrics: InstanceMetrics
}

/** A named group of interchangeable instances, as one thread uses it. */
export class Service {
  readonly name: string
  /** 'client', 'instance', or the Host to send. */
  readonly host: string
  readonly instances: readonly PooledInstance[]
  readonly balancer: Balancer<PooledInstance>
  readonly clock: Clock
  readonly deadlines: Deadlines
  readonly retries: Retries
  readonly timeouts: ServiceTimeouts
  /** How new connections are encrypted; null where they are not. */
  readonly tls: OutgoingTls | null

  /** `slots` are the places of the instances on the health board, by their addresses. */
  constructor(
    name: string,
    options: ServiceOptions,
    slots: ReadonlyMap<string, number>,
    board: HealthBoard,
    deadlines: Deadlines,
    random: () => number,
    metrics: Metrics,
  ) {
    this.name = name
    this.host = options.host
    const { timeouts, pool, limits } = options
    this.clock = deadlines.clock
    this.deadlines = deadlines
    this.timeouts = { responseTimeout: timeouts.response, idleTimeout: timeouts.idle }
    this.retries = new Retries(metrics, name)
    const slow = metrics.counter('sallyport_slow_clients_total', { reason: 'waited-for' })
    const madeWay = (): void => slow.add(1)
    const secure = options.instances.some(({ url }) => url.scheme === 'https')
    const tls = secure ? new OutgoingTls(options.tls ?? {}, this.clock) : null
    this.tls = tls
    const { proxyProtocol } = options
    const introduction =
      proxyProtocol === 'off'
        ? null
        : (client: string, socket: Socket): Buffer => proxyHeader(proxyProtocol, client, socket)
    this.instances = options.instances.map(({ url, weight }) => ({
      metrics: new InstanceMetrics(metrics, name, formatAddress(url)),
      address: formatAddress(url),
      authority: formatAuthority(url),
      host: url.host,
      port: url.port,
      weight,
      inFlight: 0,
      slot: slots.get(formatAddress(url))!,
      pool: new ConnectionPool(
        {
          head: limits.head,
          headers: limits.headers,
          host: url.host,
          port: url.port,
          connections: pool.connections,
          streams: pool.streams,
          queue: pool.queue,
          queueTimeout: pool.queueTimeout,
          poolTimeout: pool.idleTimeout,
          lifetime: () => pool.lifetime * (0.9 + 0.2 * random()),
          connectTimeout: timeouts.connect,
          responseTimeout: timeouts.response,
          idleTimeout: timeouts.idle,
          madeWay,
          introduction,
          encryption: url.scheme === 'https' ? tls!.to(url.host) : null,
        },
        deadlines,
      ),
    }))
    for (const instance of this.instances) watchInstance(metrics, name, instance)
    this.balancer = balancers[options.balancer].create(new Candidates(this.instances, board), { random })
  }

  /** Its time-outs, or those of a route that has its own. */
  timeoutsWith({ response, idle }: RouteTimeouts): ServiceTimeouts {
    const { responseTimeout, idleTimeout } = this.timeouts
    return { responseTimeout: response ?? responseTimeout, idleTimeout: idle ?? idleTimeout }
  }

  /** Ends idle connections now and busy ones after their exchange. */
  close(): void {
    for (const { pool } of this.instances) pool.close()
  }
}
