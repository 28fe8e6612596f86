import { HttpsRedirect } from './https-redirect.ts'
import { HandshakeMetrics } from './handshake-metrics.ts'
import type { GatewayConfig } from '../config/schema.ts'
import { type Address, formatAddress } from '../core/address.ts'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import type { Answers, Threads } from '../core/threads.ts'
import type { Exchange } from '../http/exchange.ts'
import type { Reply } from '../http/reply.ts'
import type { Deadlines } from '../http/deadlines.ts'
import { claim } from '../listener/claim.ts'
import type { ListeningHandle } from '../listener/acceptor.ts'
import { Listener } from '../listener/listener.ts'
import type { Receiver } from '../listener/receiver.ts'
import type { TrustedProxies } from '../listener/trusted-proxies.ts'
import { certificatesChangedTopic, certificatesTopic, type ShownCertificates } from '../tls/certificates-topic.ts'
import { SessionTickets } from '../tls/session-tickets.ts'
import { ticketSeedTopic } from '../tls/ticket-seed.ts'
import { ServerIdentities, type TlsSettings } from '../tls/server-identities.ts'

export interface ThreadListenersOptions {
  readonly config: GatewayConfig
  /** Octets that the body of a request may have. */
  readonly body: number
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
}

/** Where https is, if nothing says otherwise. */
const HTTPS = 443

/** The listeners of one thread, one for each of the configuration. */
export class ThreadListeners {
  private readonly config: GatewayConfig
  private readonly threads: Threads
  private readonly all: readonly Listener[]
  /** For each listener; null where there is not one. */
  private readonly redirects: readonly (HttpsRedirect | null)[] | null
  /** Of the first listener with TLS, once it is known. */
  private httpsPort = HTTPS
  private readonly deadlines: Deadlines
  /** What is shown, by the number of the listener. */
  private readonly identities = new Map<number, ServerIdentities>()
  /** Null before they are needed. */
  private tickets: SessionTickets | null = null
  /** Of the certificates that are shown; -1 before there are any. */
  private version = -1

  constructor({ config, body, receiver, proxies, deadlines, metrics, log, answers, threads }: ThreadListenersOptions) {
    this.config = config
    this.deadlines = deadlines
    this.threads = threads
    const handshakes = new HandshakeMetrics(metrics, log)
    const bounds = {
      ...config.limits,
      body,
      strictNames: config.requestFields === 'strict',
      clientHeader: config.clientHeader?.toLowerCase() ?? null,
    }
    this.all = config.listeners.map(({ address, proxyProtocol, tls }, number) => {
      const limits = {
        ...bounds,
        number,
        proxyProtocol: proxyProtocol === 'required',
        secure: tls !== undefined,
        clientCertificates:
          tls?.clientCertificates === undefined
            ? null
            : { listener: formatAddress(address), forms: tls.clientCertificates.forward },
      }
      return new Listener(receiver, handshakes, proxies, limits, deadlines)
    })
    const redirects = config.listeners.map(({ redirectToHttps: to }) =>
      to === false ? null : new HttpsRedirect(() => (to === true ? this.httpsPort : to), config.endpoints),
    )
    this.redirects = redirects.some((redirect) => redirect !== null) ? redirects : null
    answers.on(certificatesChangedTopic, (shown) => {
      this.show(shown)
      return null
    })
    metrics.watch('http_active_connections', {}, () => this.connections)
    metrics.watch('sallyport_requests_in_flight', {}, () => sum(this.all.map(({ inFlight }) => inFlight)))
    metrics.watch('sallyport_tls_handshakes_in_progress', {}, () => sum(this.all.map(({ handshaking }) => handshaking)))
  }

  /**
   * Listens on the addresses, and resolves with the actual ones. `shared` lets other threads listen on the same ones;
   * `first` sees to it that nobody did before. Rejects with the error of the first that is not to be had.
   */
  async listen(addresses: readonly Address[], shared: boolean, first: boolean): Promise<Address[]> {
    await this.takeCertificates()
    // One after the other: addresses of the gateway's own may overlap.
    if (shared && first) for (const address of addresses) await claim(address)
    return this.know(await Promise.all(this.all.map((listener, i) => listener.listen(addresses[i]!, shared))))
  }

  /** Takes over sockets that listen on the addresses already. */
  async adopt(sockets: readonly ListeningHandle[], addresses: readonly Address[]): Promise<Address[]> {
    await this.takeCertificates()
    return this.know(await Promise.all(this.all.map((listener, i) => listener.adopt(sockets[i]!, addresses[i]!))))
  }

  /** The reply that leads to https, for what is not to be answered otherwise at the listener with that number; else null. */
  redirect(exchange: Exchange, listener: number): Reply | null {
    return this.redirects?.[listener]?.replyTo(exchange) ?? null
  }

  /** Of the sockets on which they listen. Empty where the system has no descriptors. */
  get descriptors(): number[] {
    return this.all.map(({ descriptor }) => descriptor).filter((descriptor) => descriptor !== null)
  }

  /** Open client connections. */
  get connections(): number {
    return sum(this.all.map(({ size }) => size))
  }

  /** Other proxies are trusted now. */
  reconsider(): void {
    for (const listener of this.all) listener.reconsider()
  }

  /** They go on accepting, and ask every client to connect anew. */
  retire(): void {
    for (const listener of this.all) listener.retire()
  }

  /** They stop accepting, and let exchanges end within `timeout` ms. Resolves with how many connections were cut off. */
  async drain(timeout: number, clock: Clock): Promise<number> {
    return sum(await Promise.all(this.all.map((listener) => listener.drain(timeout, clock))))
  }

  /** Breaks off whatever is going on. */
  cutOff(): void {
    for (const listener of this.all) listener.cutOff()
  }

  private know(addresses: Address[]): Address[] {
    const secure = this.config.listeners.findIndex(({ tls }) => tls !== undefined)
    if (secure !== -1) this.httpsPort = addresses[secure]!.port
    return addresses
  }

  private async takeCertificates(): Promise<void> {
    const { listeners } = this.config
    if (!listeners.some(({ tls }) => tls !== undefined)) return
    const [seed] = await this.threads.askAll(ticketSeedTopic, null)
    if (seed !== undefined) this.tickets = new SessionTickets(seed, () => this.deadlines.clock.wall())
    for (const shown of await this.threads.askAll(certificatesTopic, null)) this.show(shown)
    if (this.version === -1) throw new Error('the main thread did not say in time which certificates to show')
  }

  private show(shown: ShownCertificates): void {
    const { tickets } = this
    if (tickets === null || shown.version <= this.version) return
    this.version = shown.version
    for (const [i, { tls }] of this.config.listeners.entries()) {
      if (tls === undefined) continue
      const identities = identitiesOf(shown, i, tls, tickets, this.identities.get(i) ?? null)
      this.identities.set(i, identities)
      this.all[i]!.show(identities)
    }
  }
}

/** What a listener shows: nothing, so that nobody is let in, where the certificates that it asks for cannot be verified. */
function identitiesOf(
  { listeners, clients }: ShownCertificates,
  i: number,
  tls: TlsSettings,
  tickets: SessionTickets,
  before: ServerIdentities | null,
): ServerIdentities {
  const authorities = clients[i] ?? null
  const pairs = tls.clientCertificates !== undefined && authorities === null ? [] : (listeners[i] ?? [])
  return new ServerIdentities(pairs, { ...tls, clients: authorities }, tickets, before)
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, number) => all + number, 0)
}
