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
import { CertificateFiles } from './certificate-files.ts'
import type { CertificateSource } from './certificate-source.ts'

export interface CertificatesOptions {
  readonly config: GatewayConfig
  readonly files: FileWatcher
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
  private current: ShownCertificates
  private expiries: readonly Expiry[]
  private ends: (() => void)[] = []

  constructor(options: CertificatesOptions) {
    const { config, files, clock, log, answers, metrics } = options
    this.options = options
    this.sources = config.listeners.map(({ tls }) =>
      tls === undefined ? [] : [new CertificateFiles({ pairs: tls.certificates, files, clock, log })],
    )
    this.current = { version: 0, listeners: this.pairs() }
    this.expiries = this.current.listeners.flat().map(expiryOf)
    metrics.watchAll('sallyport_certificate_expiry_timestamp_seconds', () => this.expiries)
    answers.on(certificatesTopic, () => this.current)
  }

  /** From now on changes are told of. */
  start(): void {
    this.ends = this.sources.flat().map((source) => source.changed(() => this.publish()))
  }

  stop(): void {
    for (const end of this.ends) end()
    this.ends = []
  }

  private pairs(): KeyPair[][] {
    return this.sources.map((sources) => sources.flatMap((source) => source.current()))
  }

  private publish(): void {
    this.current = { version: this.current.version + 1, listeners: this.pairs() }
    this.expiries = this.current.listeners.flat().map(expiryOf)
    void this.options.threads.askAll(certificatesChangedTopic, this.current)
  }
}

/** When a certificate ends, in seconds, as the metric has it. */
interface Expiry {
  readonly labels: { readonly name: string }
  readonly value: number
}

function expiryOf({ cert }: KeyPair): Expiry {
  const leaf = new X509Certificate(cert)
  return { labels: { name: certificateNames(leaf)[0] ?? '' }, value: leaf.validToDate.getTime() / 1000 }
}
