import type { X509Certificate } from 'node:crypto'
import type { Clock } from '../core/clock.ts'
import { AcmeError } from './acme-error.ts'
import { type Attempts, begun, type Delays, failed, NO_ATTEMPTS, readAttempts } from './attempts.ts'
import { type CertificateRecord, checkIssued, type IssuedCertificate, readRecord } from './certificate-record.ts'
import type { Solver } from './challenge.ts'
import { suggestedTime, usualTime } from './renewal-time.ts'
import { HeldLock } from './held-lock.ts'
import type { Records } from './records.ts'
import type { Reports } from './reports.ts'
import { certificateId, type RenewalInfo } from './renewal-info.ts'
import type { Semaphore } from '../core/semaphore.ts'

/** A CA as used by a keeper. */
export interface Issuing {
  /** URL of its directory. */
  readonly url: string
  /** Issues a certificate; rejects with an Error that says why not. `replaces` is the ID of the certificate to be replaced. */
  issue(
    names: readonly string[],
    solver: Solver,
    options: { replaces: string | null; ending: AbortSignal },
  ): Promise<{ cert: string; key: string }>
  /** When the CA suggests renewing that certificate; null if it makes no suggestions. */
  renewalInfo(leaf: X509Certificate): Promise<RenewalInfo | null>
}

/** Timing parameters, in milliseconds. */
export interface Pace {
  /** Interval between checks of the store for changes by others. */
  readonly poll: number
  /** Lifetime of a lock without renewal. */
  readonly lock: number
  /** Delays after failed orders. */
  readonly delays: Delays
}

export interface CertificateRenewerOptions {
  /** The DNS name of the certificate. */
  readonly name: string
  /** In order of preference; the first one that issues a certificate is used. */
  readonly authorities: readonly Issuing[]
  readonly solver: Solver
  readonly records: Records
  readonly turns: Semaphore
  readonly clock: Clock
  readonly random: () => number
  readonly reports: Reports
  readonly pace: Pace
  readonly ending: AbortSignal
  /** Called when there is a new certificate. */
  readonly changed: () => void
  /** Called when an order has ended. */
  readonly ordered: (outcome: 'issued' | 'failed') => void
}

/** Maximum interval between checks, in milliseconds. */
const MAX_LOOK = 3600_000
/** Delay after an error of the store or of renewal information. */
const STORE_AGAIN = 10_000
const INFO_AGAIN = 3600_000
/** Minimum age of a certificate before it is replaced because a different CA is configured now. */
const OTHER_CA = 10 * 60_000

/** Maintains the certificate of one name: orders it when it is due, by whichever gateway is first. */
export class CertificateRenewer {
  readonly name: string
  private readonly options: CertificateRenewerOptions
  private text: string | null = null
  private certificate: IssuedCertificate | null = null
  private attempts: Attempts = NO_ATTEMPTS
  /** Random position within the renewal window. */
  private chance = 0
  private usual = 0
  private info: { readonly time: number | null; readonly until: number } = { time: null, until: 0 }
  private cancel = (): void => {}
  private started = false
  private working: Promise<void> | null = null

  constructor(options: CertificateRenewerOptions) {
    this.name = options.name
    this.options = options
  }

  /** The certificate to use; null until there is one. */
  get current(): IssuedCertificate | null {
    return this.certificate
  }

  /** Whether the last order succeeded, as far as is known. */
  get successful(): boolean {
    return this.attempts.count === 0
  }

  /** Picks up changes made by others in the store. Rejects if the store cannot be read. */
  async refresh(): Promise<void> {
    const { records, clock } = this.options
    this.attempts = readAttempts(await records.store.read(this.name, 'attempts'), clock.wall())
    this.adopt(await records.read(this.name, 'certificate'))
  }

  /** Starts maintaining the certificate. */
  start(): void {
    this.started = true
    this.lookIn(0)
  }

  /** Resolves when nothing is in progress any more. */
  async stop(): Promise<void> {
    this.cancel()
    await this.working
  }

  private adopt(text: string | null): void {
    if (text === null || text === this.text) return
    const read = readRecord(text)
    if (read === null) return
    this.text = text
    this.certificate = read
    this.chance = this.options.random()
    this.usual = usualTime(read, this.chance)
    this.info = { time: null, until: 0 }
    this.options.changed()
    if (this.started && this.working === null) this.lookIn(0)
  }

  private lookIn(ms: number): void {
    this.cancel()
    if (this.options.ending.aborted) return
    this.cancel = this.options.clock.after(Math.min(Math.max(ms, 0), MAX_LOOK), () => {
      this.working = this.look().then((wait) => {
        this.working = null
        this.lookIn(wait)
      })
    })
  }

  /** Resolves with the delay until the next check, in milliseconds. Never rejects. */
  private async look(): Promise<number> {
    const { clock, turns, pace, reports } = this.options
    try {
      await this.refresh()
      await this.askWhen()
      const due = this.dueAt()
      const now = clock.wall()
      if (now < due) return Math.min(due - now, this.info.until - now)
      return await turns.run(() => this.order())
    } catch (error) {
      if (this.options.ending.aborted) return MAX_LOOK
      reports.failed(error)
      return Math.max(STORE_AGAIN, pace.poll)
    }
  }

  /** Earliest time of the next order, in wall-clock milliseconds. */
  private dueAt(): number {
    return Math.max(this.wantedAt(), this.attempts.until)
  }

  private wantedAt(): number {
    const { certificate, info, usual } = this
    if (certificate === null) return 0
    const known = this.options.authorities.some(({ url }) => url === certificate.directory)
    // The certificate is from a CA that is no longer configured, for example after a trial. The minimum age slows down gateways that
    // alternate because some still have the old configuration.
    return known ? (info.time ?? usual) : certificate.issued + OTHER_CA
  }

  /** Asks the CA for the renewal window (RFC 9773), as often as it allows. */
  private async askWhen(): Promise<void> {
    const { certificate } = this
    const { clock, authorities, reports } = this.options
    const now = clock.wall()
    if (now < this.info.until) return
    const authority = authorities.find(({ url }) => url === certificate?.directory)
    this.info = { time: this.info.time, until: now + INFO_AGAIN }
    if (certificate === null || authority === undefined) return
    try {
      const info = await authority.renewalInfo(certificate.leaf)
      // The answer may be about a certificate that another gateway has replaced meanwhile.
      if (info === null || this.certificate !== certificate) return
      this.info = { time: suggestedTime(certificate, info, this.chance), until: clock.wall() + info.again }
    } catch (error) {
      reports.unsaid(authority.url, error)
    }
  }

  /**
   * Orders the certificate, unless another gateway does. Resolves with the delay until the next check.
   *
   * 1. Acquire the lock, then check again: another gateway may just have finished an order.
   * 2. Record that an order is in progress, in case it kills the process.
   * 3. Try the CAs in order.
   * 4. Store the result, unless the lock was lost in the meantime.
   */
  private async order(): Promise<number> {
    const { records, clock, pace, random, reports, ending } = this.options
    // An order that was still waiting for its turn when the gateway stopped has not failed.
    if (ending.aborted) return MAX_LOOK
    // 1.
    const lock = await records.store.acquire(this.name, pace.lock)
    if (lock === null) return pace.poll * (2 + random())
    const held = new HeldLock(records.store, lock, pace.lock, clock)
    try {
      await this.refresh()
      if (clock.wall() < this.dueAt()) return 0
      // 2.
      await this.keepAttempts(held, begun(this.attempts, clock.wall(), pace.delays))
      // 3.
      const { record, limited } = await this.ask(held)
      // 4.
      if (record === null) {
        const resting = Math.min(...this.options.authorities.map(({ url }) => limited[url] ?? 0))
        const options = { now: clock.wall(), delays: pace.delays, random, resting }
        await this.keepAttempts(held, failed(this.attempts, limited, options))
        reports.notRenewed(this.certificate, this.attempts)
        return 0
      }
      await records.write(lock, 'certificate', JSON.stringify(record))
      await this.keepAttempts(held, NO_ATTEMPTS)
      this.options.ordered('issued')
      await this.refresh()
      if (this.certificate !== null) reports.issued(this.certificate, this.usual)
      return 0
    } finally {
      await held.release()
    }
  }

  private async ask(held: HeldLock): Promise<{ record: CertificateRecord | null; limited: Attempts['limited'] }> {
    const { authorities, clock, solver, ending, reports } = this.options
    const limited: Record<string, number> = { ...this.attempts.limited }
    for (const authority of authorities) {
      const { url } = authority
      if ((limited[url] ?? 0) > clock.wall()) continue
      delete limited[url]
      const replaces = this.certificate?.directory === url ? certificateId(this.certificate.leaf) : null
      const signal = AbortSignal.any([ending, held.lost])
      try {
        const pair = await authority.issue([this.name], solver, { replaces, ending: signal })
        const record = { directory: url, ...pair, issued: clock.wall() }
        checkIssued(record, this.name)
        return { record, limited }
      } catch (error) {
        if (signal.aborted) throw error
        if (error instanceof AcmeError && error.retryAfter !== null) limited[url] = clock.wall() + error.retryAfter
        this.options.ordered('failed')
        reports.refused(url, error)
      }
    }
    return { record: null, limited }
  }

  private async keepAttempts({ lock }: HeldLock, attempts: Attempts): Promise<void> {
    // Contains no secrets, and must be readable by gateways with different secrets.
    if (!(await this.options.records.store.write(lock, 'attempts', JSON.stringify(attempts))))
      throw new AcmeError(`another gateway has taken over ${this.name}`, 'stale')
    this.attempts = attempts
  }
}
