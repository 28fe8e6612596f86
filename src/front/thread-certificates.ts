import { isDeepStrictEqual } from 'node:util'
import type { GatewayConfig } from '../config/schema.ts'
import type { Clock } from '../core/clock.ts'
import type { Answers, Threads } from '../core/threads.ts'
import {
  certificatesChangedTopic,
  certificatesTopic,
  type NamedCertificates,
  type ShownCertificates,
  shownKey,
} from '../tls/certificates-topic.ts'
import { ServerIdentities, type TlsSettings } from '../tls/server-identities.ts'
import { SessionTickets } from '../tls/session-tickets.ts'
import { newSeed, type TicketSeed, ticketSeedTopic } from '../tls/ticket-seed.ts'

export interface ThreadCertificatesOptions {
  /** What this thread answers. */
  readonly answers: Answers
  /** All threads, to be asked. */
  readonly threads: Threads
  readonly clock: Clock
  /** Told after there is something else to be shown. */
  readonly changed: () => void
}

/** What the listeners of one thread show to clients that speak TLS: what the main thread says, which reads the files and asks the CAs. */
export class ThreadCertificates {
  private readonly options: ThreadCertificatesOptions
  private shown: ShownCertificates = { version: -1, shown: new Map() }
  /** Null before they are needed. */
  private tickets: SessionTickets | null = null
  /** What their keys are made of. */
  private secrets: readonly string[] = []

  constructor(options: ThreadCertificatesOptions) {
    this.options = options
    options.answers.on(certificatesChangedTopic, (shown) => {
      this.learn(shown)
      return null
    })
  }

  /** Learns what the listeners of a configuration are to show; what it resolves with is called when they do. */
  async prepare({ listeners, secrets }: GatewayConfig): Promise<() => void> {
    if (!listeners.some(({ tls }) => tls !== undefined)) return () => {}
    const seed = await this.seedOf(secrets)
    for (const shown of await this.options.threads.askAll(certificatesTopic, null)) this.learn(shown)
    return () => {
      if (isDeepStrictEqual(secrets, this.secrets)) return
      this.secrets = secrets
      this.tickets?.use(seed)
    }
  }

  /** Whether it is known what such a listener shows. */
  knows(tls: NamedCertificates): boolean {
    return this.shown.shown.has(shownKey(tls))
  }

  /**
   * What such a listener shows: nothing, so that nobody is let in, where the certificates that it asks for cannot be verified. What is
   * as it was `before` stays the same. Throws where the main thread has not said it, and what OpenSSL has against a certificate.
   */
  identities(tls: NamedCertificates & TlsSettings, before: ServerIdentities | null): ServerIdentities {
    const { tickets } = this
    const named = this.shown.shown.get(shownKey(tls))
    if (named === undefined || tickets === null)
      throw new Error('the main thread did not provide the certificates in time')
    const { pairs, clients } = named
    const shown = tls.clientCertificates !== undefined && clients === null ? [] : pairs
    const settings = { ...tls, clients }
    if (before?.areOf(shown, settings) === true) return before
    return new ServerIdentities(shown, settings, tickets, before)
  }

  private async seedOf(secrets: readonly string[]): Promise<TicketSeed> {
    const { threads, clock } = this.options
    // Where there are no secrets, all threads have the one that the main thread has drawn.
    const [seed] = secrets.length > 0 ? [newSeed(secrets, 0)] : await threads.askAll(ticketSeedTopic, null)
    if (seed === undefined) throw new Error('the main thread did not provide the session ticket keys in time')
    if (this.tickets === null) {
      this.tickets = new SessionTickets(seed, () => clock.wall())
      this.secrets = secrets
    }
    return seed
  }

  private learn(shown: ShownCertificates): void {
    if (shown.version <= this.shown.version) return
    this.shown = shown
    this.options.changed()
  }
}
