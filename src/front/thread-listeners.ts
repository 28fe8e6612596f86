import type { GatewayConfig } from '../config/schema.ts'
import { type Address, formatAddress } from '../core/address.ts'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import type { Prepared } from '../core/prepared.ts'
import type { Answers, Threads } from '../core/threads.ts'
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
  /** Gets the requests. */
  readonly receiver: Receiver
  readonly proxies: TrustedProxies
  readonly deadlines: Deadlines
  readonly metrics: Metrics
  readonly log: Logger
  /** What this thread answers. */
  readonly answers: Answers
  /** All threads, to be asked for certificates. */
  readonly threads: Threads
  /** How many threads there are. */
  readonly size: number
}

/** What the listeners are to be. */
export interface ListenersWanted {
  readonly config: GatewayConfig
  /** Octets that the body of a request may have. */
  readonly body: number
}

/** Listeners that are ready, on which nobody is let in yet where they are new. */
export interface PreparedListeners extends Prepared {
  /** Where they listen, in the order of the configuration, with the actual ports. */
  readonly addresses: readonly Address[]
}

/** One that is open. */
interface Open extends Bound {
  readonly config: ListenerConfig
  readonly listener: Listener
  /** What it shows; null where it speaks no TLS. */
  identities: ServerIdentities | null
}

/** One that is to be. */
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

/** Where https is, if nothing says otherwise. */
const HTTPS = 443

/** The listeners of one thread, which are known by their addresses: those of one configuration go on in the next one. */
export class ThreadListeners {
  private readonly options: ThreadListenersOptions
  private readonly handshakes: HandshakeMetrics
  private readonly certificates: ThreadCertificates
  /** In the order of the configuration. */
  private open: readonly Open[] = []
  /** Those whose address was taken from them, as long as there are clients. */
  private readonly leaving = new Set<Listener>()
  /** What is prepared, and neither counts nor was given up; of several the last one may count. */
  private readonly pending = new Set<Pending>()
  /** Of the first listener with TLS, once it is known. */
  private httpsPort = HTTPS
  private retiring = false
  private readonly queue = new AcceptQueue()
  /** How many connections without TLS wait to be accepted. */
  private readonly waiting = (): number => {
    let all = 0
    for (const { acceptor } of this.plain) {
      const { descriptor, isShared } = acceptor
      // Where all threads accept from one queue, each has its part of it.
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
   * Makes the listeners of a configuration ready: opens the sockets that are new, which nobody takes connections from before the
   * commit. Rejects, with nothing opened, where an address is not to be had, or a certificate is not to be shown.
   *
   * 1. Find those that go on.
   * 2. Learn what is to be shown.
   * 3. Open what is new.
   */
  async prepare({ config, body }: ListenersWanted, opening: Opening): Promise<PreparedListeners> {
    // 1.
    const before = matchListeners(this.open, config.listeners)
    // 2.
    const showing = await this.certificates.prepare(config)
    const identities = config.listeners.map(({ tls, http2 }, i) =>
      tls === undefined ? null : this.certificates.identities({ ...tls, http2 }, before[i]?.identities ?? null),
    )
    // 3.
    const current = this.open.map(({ address, acceptor, listener }) => ({ address, acceptor, accept: listener.accept }))
    const wanted = config.listeners.map(({ address }, i) => before[i] ?? address)
    const sockets = await openSockets(wanted, current, opening)
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

  /** Descriptors of the sockets on which they listen, in the order of the configuration. Empty where the system has none. */
  get descriptors(): number[] {
    return this.open.map(({ acceptor }) => acceptor.descriptor).filter((descriptor) => descriptor !== null)
  }

  /** Connections without TLS: of the others it is the handshakes that take time, not what they ask for. */
  get arriving(): Connections {
    let accepted = 0
    for (const { acceptor } of this.plain) accepted += acceptor.accepted
    return { accepted, waiting: this.waiting }
  }

  private get plain(): readonly Open[] {
    return this.open.filter(({ identities }) => identities === null)
  }

  /** Open client connections. */
  get connections(): number {
    return sum(this.all.map(({ size }) => size))
  }

  /** The exchanges that are under way. */
  *running(): Iterable<Running> {
    for (const listener of this.all) yield* listener.running()
  }

  /** Those whose listener is gone. */
  *left(): Iterable<Running> {
    for (const listener of this.leaving) yield* listener.running()
  }

  /** Other proxies are trusted now. */
  reconsider(): void {
    for (const listener of this.all) listener.reconsider()
  }

  /** They go on accepting, but for those on `left`, where others do, and ask every client to connect anew. */
  retire(left: readonly Address[] = []): void {
    this.retiring = true
    const gone = new Set(left.map(formatAddress))
    for (const { address, acceptor } of this.open) if (gone.has(formatAddress(address))) acceptor.close()
    for (const listener of this.all) listener.retire()
  }

  /**
   * They stop accepting, and let exchanges end within `timeout` ms. For the first `patience` ms of that, clients that are
   * connected may ask for something once more. Resolves with how many connections were cut off.
   */
  async drain(timeout: number, clock: Clock, patience = 0): Promise<number> {
    for (const { close } of this.pending) close()
    this.pending.clear()
    for (const { acceptor } of this.open) acceptor.close()
    const end = (listener: Listener): Promise<number> =>
      patience === 0 ? listener.drain(timeout, clock) : listener.leave(timeout, clock, patience)
    return sum(await Promise.all(this.all.map(end)))
  }

  /** Breaks off whatever is going on. */
  cutOff(): void {
    for (const listener of this.all) listener.cutOff()
  }

  private get all(): Listener[] {
    return [...this.open.map(({ listener }) => listener), ...this.leaving]
  }

  /** The planned ones are those that are open from now on. */
  private take(planned: readonly Planned[], wanted: ListenersWanted): void {
    const { drainTimeout } = wanted.config
    const stays = new Set(planned.map(({ before }) => before))
    const gone = this.open.filter((each) => !stays.has(each))
    for (const { acceptor, listener } of gone) {
      acceptor.close()
      this.leave(listener, drainTimeout)
    }
    const secure = planned.find(({ config }) => config.tls !== undefined)
    this.httpsPort = secure?.address.port ?? HTTPS
    this.open = planned.map((each) => {
      const options = listenerOptions(wanted.config, each.config, wanted.body, () => this.httpsPort)
      const listener = this.listenerFor(each.before, options)
      if (each.before !== null && each.before.listener !== listener) this.leave(each.before.listener, drainTimeout)
      const { config, address, acceptor, identities } = each
      if (identities !== null && identities !== each.before?.identities) listener.show(identities)
      acceptor.open(listener.accept)
      return { config, address, acceptor, listener, identities }
    })
  }

  /** The listener that there was, or another one in its place where clients are to speak TLS, or no longer. */
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

  /** Certificates have changed: what is prepared goes by them as well. */
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
