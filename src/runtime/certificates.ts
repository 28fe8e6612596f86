import { X509Certificate } from 'node:crypto'
import type { GatewayConfig } from '../config/schema.ts'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import type { Prepared } from '../core/prepared.ts'
import type { TopicHandlers, Threads } from '../core/threads.ts'
import type { FileWatcher } from '../core/watch-files.ts'
import { certificateNames } from '../tls/certificate-names.ts'
import {
  certificatesChangedTopic,
  certificatesTopic,
  type ShownCertificates,
  shownKey,
  type ShownPairs,
} from '../tls/certificates-topic.ts'
import type { AcmeCertificates } from './acme.ts'
import { CertificateFiles } from './certificate-files.ts'
import type { CertificateSource } from './certificate-source.ts'
import { ClientAuthorityFiles } from './client-authority-files.ts'

export interface CertificatesOptions {
  readonly config: GatewayConfig
  readonly files: FileWatcher
  /** Certificates from CAs. */
  readonly acme: AcmeCertificates
  readonly answers: TopicHandlers
  /** Access to all threads, for notifications. */
  readonly threads: Threads
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
}

/** Sources of the certificates under one key. */
interface Shown {
  readonly sources: readonly CertificateSource[]
  readonly clients: ClientAuthorityFiles | null
  /** Functions that stop change notifications. */
  ends: readonly (() => void)[]
}

/** By key of the named certificates. */
type ByKey = ReadonlyMap<string, Shown>

/** The certificates of all listeners, once for all threads: new threads ask for them, and all threads are notified of changes. */
export class Certificates {
  private readonly options: CertificatesOptions
  private shown: ByKey = new Map()
  /** Additional certificates of the next configuration, while it is being prepared. */
  private coming: ByKey = new Map()
  private current: ShownCertificates
  /** By certificate. */
  private expiries: ReadonlyMap<string, Expiry> = new Map()
  private watching = false

  constructor(options: CertificatesOptions) {
    const { config, acme, answers, metrics } = options
    this.options = options
    this.shown = this.shownBy(config, false)
    this.current = this.read(0)
    metrics.watchAll('sallyport_certificate_expiry_timestamp_seconds', () => [...this.expiries.values()])
    answers.on(certificatesTopic, async () => {
      await acme.load()
      this.current = this.read(this.current.version)
      return this.current
    })
  }

  /** Certificates in use, and those expected from CAs. */
  report(): CertificateReport[] {
    const ordered = new Map(this.options.acme.report().map((each) => [each.name, each]))
    const shown = [...this.expiries.values()].map(({ names, issued }): CertificateReport => {
      const order = names.map((name) => ordered.get(name)).find((each) => each !== undefined)
      for (const name of names) ordered.delete(name)
      return { names, acme: order !== undefined, issued, ordered: order?.successful ?? true }
    })
    const missing = [...ordered.values()].map(({ name, successful }): CertificateReport => ({
      names: [name],
      acme: true,
      issued: null,
      ordered: successful,
    }))
    return [...shown, ...missing]
  }

  /** Starts reporting changes. */
  start(): void {
    this.watching = true
    for (const shown of this.shown.values()) this.watch(shown)
  }

  stop(): void {
    this.watching = false
    for (const shown of this.shown.values()) this.unwatch(shown)
  }

  /**
   * Loads the certificates of another configuration, which threads can obtain from then on. Its orders start with the commit. Rejects with
   * an Error that says which certificate is unusable.
   */
  async prepare(config: GatewayConfig): Promise<Prepared> {
    const after = this.shownBy(config, true)
    const acme = await this.options.acme.prepare(config)
    const setComing = (coming: ByKey): void => {
      this.coming = coming
      this.current = this.read(this.current.version + 1)
    }
    setComing(after)
    return {
      commit: () => {
        acme.commit()
        const before = this.shown
        this.shown = after
        setComing(new Map())
        for (const [key, shown] of before) if (after.get(key) !== shown) this.unwatch(shown)
        if (this.watching) for (const shown of after.values()) this.watch(shown)
      },
      abandon: () => {
        acme.abandon()
        setComing(new Map())
      },
    }
  }

  /** The certificates of a configuration; existing ones are reused. With `strict`, throws an Error for anything unusable. */
  private shownBy({ listeners }: GatewayConfig, strict: boolean): ByKey {
    const { files, acme, clock, log } = this.options
    const all = new Map<string, Shown>()
    for (const { tls } of listeners) {
      const key = tls === undefined ? null : shownKey(tls)
      if (tls === undefined || key === null || all.has(key)) continue
      const known = this.shown.get(key)
      if (known !== undefined) {
        all.set(key, known)
        continue
      }
      const ofFiles = new CertificateFiles({ pairs: tls.certificates, files, clock, log }, strict)
      const sources = tls.acme === undefined ? [ofFiles] : [ofFiles, acme.source(tls.acme)]
      const clientOptions = tls.clientCertificates
      const clients = clientOptions === undefined ? null : new ClientAuthorityFiles(clientOptions, files, log, strict)
      all.set(key, { sources, clients, ends: [] })
    }
    return all
  }

  private watch(shown: Shown): void {
    if (shown.ends.length > 0) return
    const changing = shown.clients === null ? shown.sources : [...shown.sources, shown.clients]
    shown.ends = changing.map((source) => source.onChange(() => this.publish()))
  }

  private unwatch(shown: Shown): void {
    for (const end of shown.ends) end()
    shown.ends = []
  }

  private read(version: number): ShownCertificates {
    const shown = new Map([...this.shown, ...this.coming].map(([key, each]) => [key, pairsOf(each)]))
    const certs = [...this.shown.keys()].flatMap((key) => shown.get(key)?.pairs ?? []).map(({ cert }) => cert)
    this.expiries = new Map(certs.map((cert) => [cert, this.expiries.get(cert) ?? expiryOf(cert)]))
    return { version, shown }
  }

  private publish(): void {
    this.current = this.read(this.current.version + 1)
    void this.options.threads.askAll(certificatesChangedTopic, this.current)
  }
}

function pairsOf({ sources, clients }: Shown): ShownPairs {
  return { pairs: sources.flatMap((source) => source.current()), clients: clients?.current ?? null }
}

/** Report on a listener's certificate; times are milliseconds since 1970-01-01T00:00:00Z. */
export interface CertificateReport {
  /** The names it is valid for. */
  readonly names: readonly string[]
  /** Whether it comes from a CA by ACME, rather than from a file or the configuration. */
  readonly acme: boolean
  /** Null if there is none yet. */
  readonly issued: { readonly issuer: string; readonly notBefore: number; readonly notAfter: number } | null
  /** Whether its last order succeeded; true if it is not ordered. */
  readonly ordered: boolean
}

/** Expiry of a certificate in seconds, as in the metric, and related details. */
interface Expiry {
  readonly labels: { readonly name: string }
  readonly value: number
  readonly names: readonly string[]
  readonly issued: NonNullable<CertificateReport['issued']>
}

function expiryOf(cert: string): Expiry {
  const leaf = new X509Certificate(cert)
  const names = certificateNames(leaf)
  const [notBefore, notAfter] = [leaf.validFromDate.getTime(), leaf.validToDate.getTime()]
  return {
    labels: { name: names[0] ?? '' },
    value: notAfter / 1000,
    names,
    issued: { issuer: issuerOf(leaf), notBefore, notAfter },
  }
}

/** Organization, or otherwise the common name, of the issuer. */
function issuerOf({ issuer }: X509Certificate): string {
  const parts = new Map(
    issuer.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )
  return parts.get('O') ?? parts.get('CN') ?? issuer.replaceAll('\n', ', ')
}
