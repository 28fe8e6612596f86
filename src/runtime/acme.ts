import { Acme, type Target } from '../acme/acme.ts'
import { challengeCertificate } from '../acme/challenge-certificate.ts'
import { challengesChangedTopic, challengesTopic, type ShownChallenges } from '../acme/challenges-topic.ts'
import type { Challenge } from '../acme/challenge.ts'
import { FileStore } from '../acme/file-store.ts'
import { Seal } from '../acme/seal.ts'
import type { AcmeStore } from '../acme/store.ts'
import type { GatewayConfig } from '../config/schema.ts'
import { type Clock, pause } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import { deriveKeys } from '../core/secrets.ts'
import type { Answers, Threads } from '../core/threads.ts'
import { RedisAcmeStore } from '../stores/redis/acme-store.ts'
import { connectRedis } from '../stores/redis/client.ts'
import type { KeyPair } from '../tls/key-pair.ts'
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

/** What is to come from CAs, and is kept in one place. */
interface Place {
  readonly acme: Acme
  challenges: readonly Challenge[]
}

/** How long Redis may take to be there, and to answer, in milliseconds. */
const PATIENCE = 1000
const SILENCE = 5000
/** How long the end of what is going on is waited for, in milliseconds. */
const LEAVE = 3000

/** The certificates of all listeners that come from CAs, once in a process. */
export class AcmeCertificates {
  private readonly options: AcmeOptions
  /** Folder, or "" for Redis -> what is kept there. */
  private readonly places = new Map<string, Place>()
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

  private async open(): Promise<void> {
    for (const [place, targets] of this.targets) {
      const store = await this.storeAt(place)
      this.places.set(place, this.openPlace(place, store, [...targets.values()]))
    }
    await Promise.all([...this.places.values()].map(({ acme }) => acme.load()))
  }

  private openPlace(place: string, store: AcmeStore, targets: readonly Target[]): Place {
    const { config, clock, random, log, metrics } = this.options
    const opened: Place = {
      challenges: [],
      acme: new Acme({
        targets,
        store,
        seal: new Seal({ keys: deriveKeys(config.secrets, 'acme'), acceptsPlain: place !== '' }),
        clock,
        random,
        log,
        show: (challenges) => {
          opened.challenges = challenges
          return this.show()
        },
        changed: () => {
          for (const listener of this.listeners) listener()
        },
        ordered: (name, outcome) => metrics.counter('sallyport_acme_orders_total', { name, outcome }).add(1),
      }),
    }
    for (const { name } of targets) {
      const { acme } = opened
      metrics.counter('sallyport_acme_orders_total', { name, outcome: 'issued' })
      metrics.counter('sallyport_acme_orders_total', { name, outcome: 'failed' })
      metrics.watch('sallyport_acme_last_order_successful', { name }, () => (acme.successful(name) ? 1 : 0))
      metrics.watch(
        'sallyport_acme_issued_timestamp_seconds',
        { name },
        () => (acme.certificate(name)?.issued ?? 0) / 1000,
      )
    }
    return opened
  }

  private async storeAt(place: string): Promise<AcmeStore> {
    const { config, clock } = this.options
    const { redis } = config.stores
    if (place !== '' || redis === null) return new FileStore(place, clock)
    const client = connectRedis(redis, SILENCE)
    const ready = new Promise<void>((resolve) => void client.once('ready', resolve))
    await Promise.race([ready, pause(PATIENCE, clock)])
    return new RedisAcmeStore(client)
  }

  private async show(): Promise<void> {
    const { clock, threads } = this.options
    const all = [...this.places.values()].flatMap(({ challenges }) => challenges)
    const [tokens, names] = [
      all.filter(({ type }) => type === 'http-01'),
      all.filter(({ type }) => type === 'tls-alpn-01'),
    ]
    this.shown = {
      version: this.shown.version + 1,
      answers: Object.fromEntries(tokens.map(({ token, keyAuthorization }) => [token, keyAuthorization])),
      certificates: Object.fromEntries(names.map((each) => [each.domain, challengeCertificate(each, clock.wall())])),
    }
    await threads.askAll(challengesChangedTopic, this.shown)
  }
}

/** The configuration names a folder where there is no Redis. */
function placeOf({ folder = '' }: AcmeConfig): string {
  return folder
}

function targetsOf({ domains, challenge, dns, directory, email }: AcmeConfig): Target[] {
  const authorities = directory.map(({ url, ca, eab }) => ({ url, ca, email, external: eab }))
  return domains.map((name) => ({ name, challenge, dns: dns ?? null, authorities }))
}
