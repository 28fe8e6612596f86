import { X509Certificate } from 'node:crypto'
import type { GatewayConfig } from '../config/schema.ts'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import type { Answers, Threads } from '../core/threads.ts'
import type { FileWatcher } from '../core/watch-files.ts'
import { certificateNames } from '../tls/certificate-names.ts'
import { certificatesChangedTopic, certificatesTopic, type ShownCertificates } from '../tls/certificates-topic.ts'
import type { KeyPair } from '../tls/key-pair.ts'
import type { AcmeCertificates } from './acme.ts'
import { CertificateFiles } from './certificate-files.ts'
import type { CertificateSource } from './certificate-source.ts'
import { ClientAuthorityFiles } from './client-authority-files.ts'

export interface CertificatesOptions {
  readonly config: GatewayConfig
  readonly files: FileWatcher
  /** Those that come from CAs. */
  readonly acme: AcmeCertificates
  readonly answers: Answers
  /** All threads, to be told. */
  readonly threads: Threads
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
}

/** What the listeners show, once for all threads: a thread that begins asks for it, and all are told of a change. */
export class Certificates {
  private readonly options: CertificatesOptions
  /** For each listener of the configuration. */
  private readonly sources: readonly CertificateSource[][]
  private readonly clients: readonly (ClientAuthorityFiles | null)[]
  private current: ShownCertificates
  private expiries: readonly Expiry[]
  private ends: (() => void)[] = []

  constructor(options: CertificatesOptions) {
    const { config, files, acme, clock, log, answers, metrics } = options
    this.options = options
    this.sources = config.listeners.map(({ tls }) => {
      if (tls === undefined) return []
      const ofFiles = new CertificateFiles({ pairs: tls.certificates, files, clock, log })
      return tls.acme === undefined ? [ofFiles] : [ofFiles, acme.source(tls.acme)]
    })
    this.clients = config.listeners.map(({ tls }) =>
      tls?.clientCertificates === undefined ? null : new ClientAuthorityFiles(tls.clientCertificates, files, log),
    )
    this.current = this.shown(0)
    this.expiries = expiriesOf(this.current)
    metrics.watchAll('sallyport_certificate_expiry_timestamp_seconds', () => this.expiries)
    answers.on(certificatesTopic, async () => {
      await acme.load()
      this.show(this.shown(this.current.version))
      return this.current
    })
  }

  /** From now on changes are told of. */
  start(): void {
    const changing = [...this.sources.flat(), ...this.clients.filter((clients) => clients !== null)]
    this.ends = changing.map((source) => source.changed(() => this.publish()))
  }

  stop(): void {
    for (const end of this.ends) end()
    this.ends = []
  }

  private shown(version: number): ShownCertificates {
    const listeners = this.sources.map((sources) => sources.flatMap((source) => source.current()))
    return { version, listeners, clients: this.clients.map((clients) => clients?.current ?? null) }
  }

  private show(shown: ShownCertificates): void {
    this.current = shown
    this.expiries = expiriesOf(shown)
  }

  private publish(): void {
    this.show(this.shown(this.current.version + 1))
    void this.options.threads.askAll(certificatesChangedTopic, this.current)
  }
}

/** When a certificate ends, in seconds, as the metric has it. */
interface Expiry {
  readonly labels: { readonly name: string }
  readonly value: number
}

function expiriesOf({ listeners }: ShownCertificates): Expiry[] {
  return listeners.flat().map(expiryOf)
}

function expiryOf({ cert }: KeyPair): Expiry {
  const leaf = new X509Certificate(cert)
  return { labels: { name: certificateNames(leaf)[0] ?? '' }, value: leaf.validToDate.getTime() / 1000 }
}
