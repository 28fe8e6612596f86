import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Prepared } from '../core/prepared.ts'
import { AcmeError } from './acme-error.ts'
import { usualDelays } from './attempts.ts'
import { Authority, type AuthoritySettings } from './authority.ts'
import type { IssuedCertificate } from './certificate-record.ts'
import type { Challenge, Solver } from './challenge.ts'
import { type DnsSettings, solveByDns } from './dns-solver.ts'
import { CertificateRenewer, type Pace } from './certificate-renewer.ts'
import { Records } from './records.ts'
import { Reports } from './reports.ts'
import type { Seal } from '../core/seal.ts'
import { showChallenges } from './shown-challenges.ts'
import type { AcmeStore } from './store.ts'
import { Semaphore } from '../core/semaphore.ts'

/** A required certificate. */
export interface Target {
  /** Its DNS name or wildcard. */
  readonly name: string
  readonly challenge: 'http-01' | 'tls-alpn-01' | 'dns-01'
  /** Settings for dns-01. */
  readonly dns: DnsSettings | null
  /** The CAs in order of preference; the first one that issues the certificate is used. */
  readonly authorities: readonly AuthoritySettings[]
}

export interface AcmeOptions {
  readonly targets: readonly Target[]
  readonly store: AcmeStore
  readonly seal: Seal
  readonly clock: Clock
  readonly random: () => number
  readonly log: Logger
  readonly pace?: Pace
  /** Makes all threads answer exactly these challenges; resolves when they do. */
  readonly show: (challenges: readonly Challenge[]) => Promise<void>
  /** Called when there is a new certificate. */
  readonly changed: () => void
  /** Called when an order for that name has ended. */
  readonly ordered: (name: string, outcome: 'issued' | 'failed') => void
}

interface Kept {
  readonly target: Target
  readonly keeper: CertificateRenewer
  /** Aborts its work when the target is removed. */
  readonly leaving: AbortController
}

const usualPace: Pace = { poll: 1000, lock: 15_000, delays: usualDelays }
/** How many poll intervals other gateways get to start answering a challenge. */
const SETTLE = 2.5
/** Maximum number of concurrent orders. */
const AT_A_TIME = 4

/** The certificates from CAs; one instance per process. */
export class Acme {
  private readonly options: AcmeOptions
  private readonly pace: Pace
  private readonly ending = new AbortController()
  private readonly authorities = new Map<string, Authority>()
  /** By certificate name. */
  private keepers: ReadonlyMap<string, Kept> = new Map()
  /** Additional ones being prepared. */
  private coming: ReadonlyMap<string, Kept> = new Map()
  private readonly turns = new Semaphore(AT_A_TIME)
  private started = false
  private readonly records: Records
  private revision: string | null = null
  private shown = '[]'
  /** Serializes refreshes. */
  private refreshing: Promise<void> = Promise.resolve()
  private cancel = (): void => {}
  private silent = false

  constructor(options: AcmeOptions) {
    const { store, seal, pace = usualPace, targets } = options
    this.options = options
    this.pace = pace
    this.records = new Records(store, seal)
    this.keepers = new Map(targets.map((target) => [target.name, this.keep(target)]))
  }

  /** The certificate of that name; null until there is one. */
  certificate(name: string): IssuedCertificate | null {
    return this.keepers.get(name)?.keeper.current ?? this.coming.get(name)?.keeper.current ?? null
  }

  /** Whether the last order for that name succeeded, as far as is known. */
  successful(name: string): boolean {
    return this.keepers.get(name)?.keeper.successful ?? true
  }

  /** Loads stored certificates, so that they are used from the first handshake on. Never rejects. */
  async load(): Promise<void> {
    await this.refresh()
  }

  /** Starts maintaining the certificates. */
  start(): void {
    this.started = true
    for (const { keeper } of this.keepers.values()) keeper.start()
    this.pollLater()
  }

  /**
   * Prepares a change of targets: stored certificates of new targets are used from then on; with the commit, their orders start and those
   * of removed targets are aborted. Unchanged targets continue.
   */
  async prepare(targets: readonly Target[]): Promise<Prepared> {
    const wanted = new Map(targets.map((target) => [target.name, this.keep(target)]))
    const fresh = [...wanted.values()].filter((entry) => this.keepers.get(entry.keeper.name) !== entry)
    this.coming = wanted
    // Anything that cannot be read now is tried again after the start.
    await Promise.allSettled(fresh.map(({ keeper }) => keeper.refresh()))
    return {
      commit: () => {
        const removed = [...this.keepers.values()].filter((entry) => wanted.get(entry.keeper.name) !== entry)
        this.keepers = wanted
        this.coming = new Map()
        void Promise.all(removed.map((entry) => this.leave(entry))).then(() => this.closeUnused())
        if (this.started) for (const { keeper } of fresh) keeper.start()
      },
      abandon: () => {
        this.coming = new Map()
        this.closeUnused()
      },
    }
  }

  /** Aborts everything in progress and releases locks. */
  async stop(): Promise<void> {
    this.ending.abort(new AcmeError('the gateway stops'))
    this.cancel()
    await Promise.all([...this.keepers.values()].map(({ keeper }) => keeper.stop()))
    await this.refreshing
    for (const authority of this.authorities.values()) authority.close()
    this.options.store.close()
  }

  /** Returns the existing keeper of that target, or a new one. */
  private keep(target: Target): Kept {
    const known = this.keepers.get(target.name)
    if (known !== undefined && isDeepStrictEqual(known.target, target)) return known
    const leaving = new AbortController()
    const ending = AbortSignal.any([this.ending.signal, leaving.signal])
    return { target, keeper: this.keeperOf(target, ending), leaving }
  }

  /** Stops maintaining a certificate that is no longer wanted. */
  private leave({ keeper, leaving }: Kept): Promise<void> {
    leaving.abort(new AcmeError('the certificate is no longer needed'))
    return keeper.stop()
  }

  /** Closes CAs that are no longer used. */
  private closeUnused(): void {
    const targets = [...this.keepers.values(), ...this.coming.values()].map(({ target }) => target)
    const used = new Set(targets.flatMap(({ authorities }) => authorities.map((settings) => JSON.stringify(settings))))
    for (const [key, authority] of this.authorities) {
      if (used.has(key)) continue
      this.authorities.delete(key)
      authority.close()
    }
  }

  private keeperOf(target: Target, ending: AbortSignal): CertificateRenewer {
    const { clock, random, log, changed, ordered } = this.options
    const { turns } = this
    const { name, challenge } = target
    return new CertificateRenewer({
      name,
      authorities: target.authorities.map((settings) => this.authority(settings)),
      solver: this.solverOf(target, ending),
      records: this.records,
      turns,
      clock,
      random,
      reports: new Reports(name, challenge, log, clock),
      pace: this.pace,
      ending,
      changed,
      ordered: (outcome) => ordered(name, outcome),
    })
  }

  /** One per CA, for all names with certificates from it. */
  private authority(settings: AuthoritySettings): Authority {
    const key = JSON.stringify(settings)
    const known = this.authorities.get(key)
    if (known !== undefined) return known
    const made = new Authority(settings, this.records, this.options.clock, this.ending.signal)
    this.authorities.set(key, made)
    return made
  }

  private solverOf({ challenge: type, dns }: Target, ending: AbortSignal): Solver {
    const { clock } = this.options
    const { records } = this
    if (type === 'dns-01') {
      if (dns === null) throw new TypeError('dns-01 needs a hook')
      return solveByDns(dns, clock, ending)
    }
    const settle = this.pace.poll * SETTLE
    return showChallenges({ type, records, clock, ending, refresh: () => this.refresh(), settle })
  }

  private pollLater(): void {
    if (this.ending.signal.aborted) return
    this.cancel = this.options.clock.after(this.pace.poll, () => void this.refresh().then(() => this.pollLater()))
  }

  private refresh(): Promise<void> {
    this.refreshing = this.refreshing.then(() => this.takeUp())
    return this.refreshing
  }

  /** Picks up changes in the store, if any. Never rejects. */
  private async takeUp(): Promise<void> {
    const { store, log } = this.options
    try {
      const revision = await store.revision()
      if (revision === this.revision) return
      await this.showThose(await this.records.challenges())
      const results = await Promise.allSettled([...this.keepers.values()].map(({ keeper }) => keeper.refresh()))
      for (const each of results) if (each.status === 'rejected') refuseBut(each.reason)
      this.revision = revision
      this.silent = false
    } catch (error) {
      // Logged once.
      if (!this.silent) log.warn({ error }, 'The state of certificates kept by other gateways cannot be read; retrying')
      this.silent = true
    }
  }

  private async showThose(challenges: readonly Challenge[]): Promise<void> {
    const text = JSON.stringify(challenges)
    if (text === this.shown) return
    await this.options.show(challenges)
    this.shown = text
  }
}

/** Ignores content that cannot be decrypted with these secrets: its keeper reports it, and it must not affect the others. */
function refuseBut(reason: unknown): void {
  if (!(reason instanceof AcmeError)) throw reason
}
