import type { GatewayConfig } from '../config/schema.ts'
import { type Address, formatAddress } from '../core/address.ts'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import type { Prepared } from '../core/prepared.ts'
import type { TopicHandlers, Threads } from '../core/threads.ts'
import type { Deadlines } from '../http/deadlines.ts'
import type { Running } from '../http/server-handler.ts'
import { AcceptQueue } from '../listener/accept-queue.ts'
import { Listener } from '../listener/listener.ts'
import type { ListenerOptions, Receiver } from '../listener/receiver.ts'
import type { TrustedProxies } from '../listener/trusted-proxies.ts'
import type { Connections } from '../overload/work.ts'
import type { ServerIdentities } from '../tls/server-identities.ts'
import { HandshakeMetrics } from './handshake-metrics.ts'
import { listenerOptions } from './listener-options.ts'
import { type Bound, type Opening, openSockets } from './listener-sockets.ts'
import { type ListenerConfig, matchListeners } from './match-listeners.ts'
import { ThreadCertificates } from './thread-certificates.ts'

export interface ThreadListenersOptions {
  /** Receives the requests. */
  readonly receiver: Receiver
  readonly proxies: TrustedProxies
  readonly deadlines: Deadlines
  readonly metrics: Metrics
  readonly log: Logger
  /** The handlers of this thread. */
  readonly answers: TopicHandlers
  /** Access to all threads, for certificates. */
  readonly threads: Threads
  /** Number of threads. */
  readonly size: number
}

/** The required listeners. */
export interface ListenerSettings {
  readonly config: GatewayConfig
  /** Maximum body size of a request, in bytes. */
  readonly body: number
}

/** Prepared listeners; new ones do not accept clients yet. */
export interface PreparedListeners extends Prepared {
  /** Actual addresses, in configuration order. */
  readonly addresses: readonly Address[]
}

/** An open listener. */
interface Open extends Bound {
  readonly config: ListenerConfig
  readonly listener: Listener
  /** Its TLS identities; null for a listener without TLS. */
  identities: ServerIdentities | null
}

/** A planned listener. */
interface Planned extends Bound {
  readonly config: ListenerConfig
  readonly before: Open | null
  identities: ServerIdentities | null
}

interface Pending {
  readonly planned: readonly Planned[]
  /** Closes its new sockets. */
  readonly close: () => void
}

/** Default https port. */
const HTTPS = 443

/** The listeners of one thread, matched by address: listeners of one configuration continue in the next one. */
export class ThreadListeners {
  private readonly options: ThreadListenersOptions
  private readonly handshakes: HandshakeMetrics
  private readonly certificates: ThreadCertificates
  /** In configuration order. */
  private open: readonly Open[] = []
  /** Listeners whose address is no longer configured, while they still have clients. */
  private readonly leaving = new Set<Listener>()
  /** Pending preparations, neither committed nor abandoned; only the last one may be committed. */
  private readonly pending = new Set<Pending>()
  /** Port of the first TLS listener, once known. */
  private httpsPort = HTTPS
  private retiring = false
  private readonly queue = new AcceptQueue()
  /** Number of connections without TLS waiting to be accepted. */
  private readonly waiting = (): number => {
    let all = 0
    for (const { acceptor } of this.plain) {
      const { descriptor, isShared } = acceptor
      // If all threads accept from one queue, each accounts for its share of it.
      if (descriptor !== null) all += this.queue.of(descriptor) / (isShared ? this.options.size : 1)
    }
    return all
  }

  constructor(options: ThreadListenersOptions) {
    const { deadlines, metrics, log, answers, threads } = options
    this.options = options
    this.handshakes = new HandshakeMetrics(metrics, log)
    this.certificates = new ThreadCertificates({ answers, threads, clock: deadlines.clock, changed: () => this.show() })
    metrics.watch('http_active_connections', {}, () => this.connections)
    metrics.watch('sallyport_requests_in_flight', {}, () => sum(this.all.map(({ inFlight }) => inFlight)))
    metrics.watch('sallyport_tls_handshakes_in_progress', {}, () => sum(this.all.map(({ handshaking }) => handshaking)))
  }

  /**
   * Prepares the listeners of a configuration: opens new sockets, which accept no connections before the commit. If an address is
   * unavailable or a certificate unusable, rejects with nothing left open.
   *
   * 1. Match listeners that continue.
   * 2. Load the certificates.
   * 3. Open new sockets.
   */
  async prepare({ config, body }: ListenerSettings, opening: Opening): Promise<PreparedListeners> {
    // 1.
    const before = matchListeners(this.open, config.listeners)
    // 2.
    const showing = await this.certificates.prepare(config)
    const identities = config.listeners.map(({ tls, http2 }, i) =>
      tls === undefined ? null : this.certificates.identities({ ...tls, http2 }, before[i]?.identities ?? null),
    )
    // 3.
    const current = this.open.map(({ address, acceptor, listener }) => ({ address, acceptor, accept: listener.accept }))
    const addresses = config.listeners.map(({ address }, i) => before[i] ?? address)
    const sockets = await openSockets(addresses, current, opening)
    const planned = sockets.all.flatMap(({ address, acceptor }, i): Planned[] => {
      const listener = config.listeners[i]
      if (listener === undefined) return []
      return [{ address, acceptor, config: listener, before: before[i] ?? null, identities: identities[i] ?? null }]
    })
    const pending = { planned, close: sockets.close }
    this.pending.add(pending)
    return {
      addresses: planned.map(({ address }) => address),
      commit: () => {
        if (!this.pending.delete(pending)) return
        showing()
        this.take(planned, { config, body })
      },
      abandon: () => {
        if (this.pending.delete(pending)) sockets.close()
      },
    }
  }

  /** Descriptors of the listening sockets, in configuration order. Empty if the system has none. */
  get descriptors(): number[] {
    return this.open.map(({ acceptor }) => acceptor.descriptor).filter((descriptor) => descriptor !== null)
  }

  /** Connections without TLS only: for the others, the handshake takes most of the time, not the requests. */
  get arriving(): Connections {
    let accepted = 0
    for (const { acceptor } of this.plain) accepted += acceptor.accepted
    return { accepted, waiting: this.waiting }
  }

  private get plain(): readonly Open[] {
    return this.open.filter(({ identities }) => identities === null)
  }

  /** Number of open client connections. */
  get connections(): number {
    return sum(this.all.map(({ size }) => size))
  }

  /** The exchanges in progress. */
  *running(): Iterable<Running> {
    for (const listener of this.all) yield* listener.running()
  }

  /** Those whose listener is gone. */
  *left(): Iterable<Running> {
    for (const listener of this.leaving) yield* listener.running()
  }

  /** The set of trusted proxies has changed. */
  reconsider(): void {
    for (const listener of this.all) listener.reconsider()
  }

  /** Continue accepting, except on the addresses in `left`, where other processes do; ask every client to reconnect. */
  retire(left: readonly Address[] = []): void {
    this.retiring = true
    const removed = new Set(left.map(formatAddress))
    for (const { address, acceptor } of this.open) if (removed.has(formatAddress(address))) acceptor.close()
    for (const listener of this.all) listener.retire()
  }

  /**
   * Stop accepting connections and let exchanges finish within `timeout` ms. For the first `gracePeriod` ms, connected clients may send
   * another request. Resolves with the number of connections that were cut off.
   */
  async drain(timeout: number, clock: Clock, gracePeriod = 0): Promise<number> {
    for (const { close } of this.pending) close()
    this.pending.clear()
    for (const { acceptor } of this.open) acceptor.close()
    const end = (listener: Listener): Promise<number> =>
      gracePeriod === 0 ? listener.drain(timeout, clock) : listener.leave(timeout, clock, gracePeriod)
    return sum(await Promise.all(this.all.map(end)))
  }

  /** Aborts everything in progress. */
  cutOff(): void {
    for (const listener of this.all) listener.cutOff()
  }

  private get all(): Listener[] {
    return [...this.open.map(({ listener }) => listener), ...this.leaving]
  }

  /** Puts the planned listeners into effect. */
  private take(planned: readonly Planned[], settings: ListenerSettings): void {
    const { drainTimeout } = settings.config
    const stays = new Set(planned.map(({ before }) => before))
    const removed = this.open.filter((each) => !stays.has(each))
    for (const { acceptor, listener } of removed) {
      acceptor.close()
      this.leave(listener, drainTimeout)
    }
    const secure = planned.find(({ config }) => config.tls !== undefined)
    this.httpsPort = secure?.address.port ?? HTTPS
    this.open = planned.map((each) => {
      const options = listenerOptions(settings.config, each.config, settings.body, () => this.httpsPort)
      const listener = this.listenerFor(each.before, options)
      if (each.before !== null && each.before.listener !== listener) this.leave(each.before.listener, drainTimeout)
      const { config, address, acceptor, identities } = each
      if (identities !== null && identities !== each.before?.identities) listener.show(identities)
      acceptor.open(listener.accept)
      return { config, address, acceptor, listener, identities }
    })
  }

  /** The existing listener, or a new one if TLS is being switched on or off. */
  private listenerFor(before: Open | null, options: ListenerOptions): Listener {
    if (before !== null && before.listener.secure === options.secure) {
      before.listener.configure(options)
      return before.listener
    }
    const { receiver, proxies, deadlines } = this.options
    const listener = new Listener({ receiver, watcher: this.handshakes, proxies, options, deadlines })
    if (this.retiring) listener.retire()
    return listener
  }

  private leave(listener: Listener, timeout: number): void {
    const { deadlines, log } = this.options
    this.leaving.add(listener)
    void listener.leave(timeout, deadlines.clock).then((connections) => {
      this.leaving.delete(listener)
      if (connections > 0) log.warn({ connections }, 'Connections of a removed listener were closed at the deadline')
    })
  }

  /** Certificates have changed: also updates prepared listeners. */
  private show(): void {
    for (const each of [...this.open, ...[...this.pending].flatMap(({ planned }) => planned)]) {
      const { tls, http2 } = each.config
      if (tls === undefined || !this.certificates.knows(tls)) continue
      const { identities } = each
      each.identities = this.certificates.identities({ ...tls, http2 }, identities)
      if ('listener' in each && each.identities !== identities) each.listener.show(each.identities)
    }
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, number) => all + number, 0)
}
