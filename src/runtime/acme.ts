import { isDeepStrictEqual } from 'node:util'
import type { Target } from '../acme/acme.ts'
import { challengesChangedTopic, challengesTopic, type ShownChallenges } from '../acme/challenges-topic.ts'
import type { GatewayConfig } from '../config/schema.ts'
import { type Clock, pause } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import type { Prepared } from '../core/prepared.ts'
import type { Answers, Threads } from '../core/threads.ts'
import type { KeyPair } from '../tls/key-pair.ts'
import type { AcmePlace } from './acme-place.ts'
import type { CertificateSource } from './certificate-source.ts'

export interface AcmeOptions {
  readonly config: GatewayConfig
  readonly answers: Answers
  /** All threads, to be told. */
  readonly threads: Threads
  readonly clock: Clock
  readonly random: () => number
  readonly log: Logger
  readonly metrics: Metrics
}

type AcmeConfig = NonNullable<NonNullable<GatewayConfig['listeners'][number]['tls']>['acme']>

/** How long the end of what is going on is waited for, in milliseconds. */
const LEAVE = 3000

/** The certificates of all listeners that come from CAs, once in a process. */
export class AcmeCertificates {
  private readonly options: AcmeOptions
  /** Folder, or "" for Redis -> what is kept there. */
  private readonly places = new Map<string, AcmePlace>()
  private readonly listeners = new Set<() => void>()
  /** The same with what is to be there, before anything is opened. */
  private readonly targets = new Map<string, Map<string, Target>>()
  private loaded: Promise<void> | null = null
  private shown: ShownChallenges = { version: 0, answers: {}, certificates: {} }

  constructor(options: AcmeOptions) {
    const { config, answers } = options
    this.options = options
    for (const { tls } of config.listeners) {
      if (tls?.acme === undefined) continue
      const place = placeOf(tls.acme)
      const there = this.targets.get(place) ?? new Map<string, Target>()
      for (const target of targetsOf(tls.acme)) there.set(target.name, target)
      this.targets.set(place, there)
    }
    if (this.targets.size > 0) answers.on(challengesTopic, () => this.shown)
  }

  /** Reads what is kept, as far as it can be read, so that it is shown from the first handshake on. */
  load(): Promise<void> {
    this.loaded ??= this.open()
    return this.loaded
  }

  /** What a listener shows. */
  source(acme: AcmeConfig): CertificateSource {
    const place = placeOf(acme)
    const pairOf = (name: string): KeyPair[] => {
      const found = this.places.get(place)?.acme.certificate(name) ?? null
      return found === null ? [] : [{ cert: found.cert, key: found.key }]
    }
    return {
      current: () => acme.domains.flatMap(pairOf),
      changed: (listener) => {
        this.listeners.add(listener)
        return () => this.listeners.delete(listener)
      },
    }
  }

  /** Makes another configuration ready. Rejects where other certificates are to come from CAs than now. */
  async prepare({ listeners }: GatewayConfig): Promise<Prepared> {
    if (!isDeepStrictEqual(acmeIn(listeners), acmeIn(this.options.config.listeners)))
      throw new Error('listeners: other certificates of CAs (acme) need a restart')
    return { commit() {}, abandon() {} }
  }

  /** Begins to order. */
  start(): void {
    if (this.targets.size === 0) return
    void this.load().then(() => {
      for (const { acme } of this.places.values()) acme.start()
    })
  }

  /** Breaks off what is going on; resolves when locks are given back, or cannot be. */
  async stop(): Promise<void> {
    if (this.loaded === null) return
    await this.loaded
    const stopped = [...this.places.values()].map(({ acme }) => acme.stop())
    if (stopped.length > 0) await Promise.race([Promise.all(stopped), pause(LEAVE, this.options.clock)])
  }

  /** What speaks with CAs and keeps what they issue is loaded only where there is one. */
  private async open(): Promise<void> {
    if (this.targets.size === 0) return
    const { openPlace } = await import('./acme-place.ts')
    const events = {
      show: () => this.show(),
      changed: () => {
        for (const listener of this.listeners) listener()
      },
    }
    for (const [place, targets] of this.targets)
      this.places.set(place, await openPlace(this.options, place, [...targets.values()], events))
    await Promise.all([...this.places.values()].map(({ acme }) => acme.load()))
  }

  private async show(): Promise<void> {
    const shown = [...this.places.values()].map((place) => place.shown)
    this.shown = {
      version: this.shown.version + 1,
      answers: Object.fromEntries(shown.flatMap(({ answers }) => Object.entries(answers))),
      certificates: Object.fromEntries(shown.flatMap(({ certificates }) => Object.entries(certificates))),
    }
    await this.options.threads.askAll(challengesChangedTopic, this.shown)
  }
}

function acmeIn(listeners: GatewayConfig['listeners']): AcmeConfig[] {
  return listeners.map(({ tls }) => tls?.acme).filter((acme) => acme !== undefined)
}

/** The configuration names a folder where there is no Redis. */
function placeOf({ folder = '' }: AcmeConfig): string {
  return folder
}

function targetsOf({ domains, challenge, dns, directory, email }: AcmeConfig): Target[] {
  const authorities = directory.map(({ url, ca, eab }) => ({ url, ca, email, external: eab }))
  return domains.map((name) => ({ name, challenge, dns: dns ?? null, authorities }))
}
