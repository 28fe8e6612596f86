import { isDeepStrictEqual } from 'node:util'
import { type Address, formatAddress } from '../core/address.ts'
import type { Metrics } from '../core/metrics.ts'
import { present } from '../core/present.ts'
import { type Holder, Shared } from '../core/shared.ts'
import type { Deadlines } from '../http/deadlines.ts'
import type { LanePool } from '../http/lane.ts'
import type { PoolBounds, PoolOptions } from '../http/pool-options.ts'
import { ConnectionPool } from '../http1/pool.ts'
import { StreamPool } from '../http2/pool.ts'
import { proxyHeader, type ProxyVersion } from '../proxy-protocol/written-header.ts'
import { OutgoingTls, type OutgoingTlsOptions } from '../tls/outgoing.ts'
import { connectionKey } from './connection-key.ts'
import type { HealthBoard } from './health/board.ts'
import { LiveInstance, liveInstances } from './live-instance.ts'
import { PooledInstance } from './pooled-instance.ts'
import type { ServiceOptions } from './service-options.ts'

/** What connections to instances need in a thread. */
export interface ConnectionTools {
  readonly board: HealthBoard
  readonly deadlines: Deadlines
  readonly random: () => number
  readonly metrics: Metrics
  /** The holder of the configuration that the service belongs to. */
  readonly holder: Holder
}

/** TLS contexts for services in a thread, by service name and `connectionKey`. */
const sharedTls = new Shared<OutgoingTls>()

/** How the instances of a service are connected to, as defined by one configuration, in one thread. */
export class ServiceConnections {
  readonly instances: readonly PooledInstance[]
  /** TLS context for new connections; null if they are unencrypted. */
  readonly tls: OutgoingTls | null
  private readonly options: ServiceOptions
  private readonly bounds: PoolBounds
  /** Whether the pools already have these bounds, because the previous configuration has the same ones. */
  private readonly settled: boolean

  /** `slots` are those of the instances on the health board, by address; `previous` is null if the service is new. */
  constructor(
    name: string,
    options: ServiceOptions,
    slots: ReadonlyMap<string, number>,
    previous: ServiceConnections | null,
    { board, deadlines, random, metrics, holder }: ConnectionTools,
  ) {
    const { proxyProtocol, http2 } = options
    this.options = options
    this.bounds = boundsOf(options, random)
    this.settled = previous !== null && isDeepStrictEqual(bounding(options), bounding(previous.options))
    const secure = options.instances.some(({ url }) => url.scheme === 'https')
    const settings = secure ? (options.tls ?? {}) : null
    const key = connectionKey(settings, proxyProtocol, http2)
    const { clock } = deadlines
    this.tls =
      settings === null ? null : sharedTls.get(holder, `${name} ${key}`, () => new OutgoingTls(settings, clock))
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
