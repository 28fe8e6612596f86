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
import { Keeper, type Pace } from './keeper.ts'
import { Records } from './records.ts'
import { Reports } from './reports.ts'
import type { Seal } from '../core/seal.ts'
import { showChallenges } from './shown-challenges.ts'
import type { AcmeStore } from './store.ts'
import { Turns } from '../core/turns.ts'

/** A certificate that is to be there. */
export interface Target {
  /** Its DNS name, or a wildcard. */
  readonly name: string
  readonly challenge: 'http-01' | 'tls-alpn-01' | 'dns-01'
  /** With dns-01. */
  readonly dns: DnsSettings | null
  /** CAs, the first one that issues it being taken. */
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
  /** Has all threads answer these challenges and no others; resolves when they do. */
  readonly show: (challenges: readonly Challenge[]) => Promise<void>
  /** There is another certificate. */
  readonly changed: () => void
  /** An order for that name has ended. */
  readonly ordered: (name: string, outcome: 'issued' | 'failed') => void
}

interface Kept {
  readonly target: Target
  readonly keeper: Keeper
  /** Ends what it is at, where the target is gone. */
  readonly leaving: AbortController
}

const usualPace: Pace = { poll: 1000, lock: 15_000, delays: usualDelays }
/** Polls that others are given until they answer a challenge. */
const SETTLE = 2.5
/** Orders at a time. */
const AT_A_TIME = 4

/** The certificates that come from CAs: once in a process. */
export class Acme {
  private readonly options: AcmeOptions
  private readonly pace: Pace
  private readonly ending = new AbortController()
  private readonly authorities = new Map<string, Authority>()
  /** By the names of their certificates. */
  private keepers: ReadonlyMap<string, Kept> = new Map()
  /** What is prepared besides. */
  private coming: ReadonlyMap<string, Kept> = new Map()
  private readonly turns = new Turns(AT_A_TIME)
  private started = false
  private readonly records: Records
  private revision: string | null = null
  private shown = '[]'
  /** Refreshes come one after the other. */
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

  /** The certificate of that name; null as long as there is none. */
  certificate(name: string): IssuedCertificate | null {
    return this.keepers.get(name)?.keeper.current ?? this.coming.get(name)?.keeper.current ?? null
  }

  /** Whether the last order for that name came to something, as far as is known. */
  successful(name: string): boolean {
    return this.keepers.get(name)?.keeper.successful ?? true
  }

  /** Reads what the store has, so that it is shown from the first handshake on. Never rejects. */
  async load(): Promise<void> {
    await this.refresh()
  }

  /** Begins to look after the certificates. */
  start(): void {
    this.started = true
    for (const { keeper } of this.keepers.values()) keeper.start()
    this.pollLater()
  }

  /**
   * Makes other targets ready, of which what is kept is shown from then on; orders begin with the commit, and those of targets that are
   * gone are broken off. A target that is as it was goes on.
   */
  async prepare(targets: readonly Target[]): Promise<Prepared> {
    const wanted = new Map(targets.map((target) => [target.name, this.keep(target)]))
    const fresh = [...wanted.values()].filter((kept) => this.keepers.get(kept.keeper.name) !== kept)
    this.coming = wanted
    // What cannot be read now is looked for again when it is started.
    await Promise.allSettled(fresh.map(({ keeper }) => keeper.refresh()))
    return {
      commit: () => {
        const gone = [...this.keepers.values()].filter((kept) => wanted.get(kept.keeper.name) !== kept)
        this.keepers = wanted
        this.coming = new Map()
        void Promise.all(gone.map((kept) => this.leave(kept))).then(() => this.closeUnused())
        if (this.started) for (const { keeper } of fresh) keeper.start()
      },
      abandon: () => {
        this.coming = new Map()
        this.closeUnused()
      },
    }
  }

  /** Breaks off what is going on, and gives locks back. */
  async stop(): Promise<void> {
    this.ending.abort(new AcmeError('the gateway stops'))
    this.cancel()
    await Promise.all([...this.keepers.values()].map(({ keeper }) => keeper.stop()))
    await this.refreshing
    for (const authority of this.authorities.values()) authority.close()
    this.options.store.close()
  }

  /** The one that looks after that target, or a new one. */
  private keep(target: Target): Kept {
    const known = this.keepers.get(target.name)
    if (known !== undefined && isDeepStrictEqual(known.target, target)) return known
    const leaving = new AbortController()
    const ending = AbortSignal.any([this.ending.signal, leaving.signal])
    return { target, keeper: this.keeperOf(target, ending), leaving }
  }

  /** A certificate is not wanted any more. */
  private leave({ keeper, leaving }: Kept): Promise<void> {
    leaving.abort(new AcmeError('the certificate is no longer needed'))
    return keeper.stop()
  }

  /** CAs of which nothing is wanted any more. */
  private closeUnused(): void {
    const targets = [...this.keepers.values(), ...this.coming.values()].map(({ target }) => target)
    const used = new Set(targets.flatMap(({ authorities }) => authorities.map((settings) => JSON.stringify(settings))))
    for (const [key, authority] of this.authorities) {
      if (used.has(key)) continue
      this.authorities.delete(key)
      authority.close()
    }
  }

  private keeperOf(target: Target, ending: AbortSignal): Keeper {
    const { clock, random, log, changed, ordered } = this.options
    const { turns } = this
    const { name, challenge } = target
    return new Keeper({
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

  /** One for all names that are to have a certificate of it. */
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

  /** Takes up what has changed in the store, if anything. Never rejects. */
  private async takeUp(): Promise<void> {
    const { store, log } = this.options
    try {
      const revision = await store.revision()
      if (revision === this.revision) return
      await this.showThose(await this.records.challenges())
      const taken = await Promise.allSettled([...this.keepers.values()].map(({ keeper }) => keeper.refresh()))
      for (const each of taken) if (each.status === 'rejected') refuseBut(each.reason)
      this.revision = revision
      this.silent = false
    } catch (error) {
      // It is said once.
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

/** What cannot be opened with these secrets, its keeper says, and it keeps nobody from the others. */
function refuseBut(reason: unknown): void {
  if (!(reason instanceof AcmeError)) throw reason
}
