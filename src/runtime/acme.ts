import type { Target } from '../acme/acme.ts'
import { challengesChangedTopic, challengesTopic, type ShownChallenges } from '../acme/challenges-topic.ts'
import type { GatewayConfig } from '../config/schema.ts'
import { pause } from '../core/clock.ts'
import type { Prepared } from '../core/prepared.ts'
import type { TopicHandlers, Threads } from '../core/threads.ts'
import type { KeyPair } from '../tls/key-pair.ts'
import type { AcmeRunner, AcmeRunnerOptions } from './acme-runner.ts'
import type { CertificateSource } from './certificate-source.ts'

export interface AcmeOptions extends AcmeRunnerOptions {
  readonly answers: TopicHandlers
  /** Access to all threads, for notifications. */
  readonly threads: Threads
}

type AcmeConfig = NonNullable<NonNullable<GatewayConfig['listeners'][number]['tls']>['acme']>

/** The targets of one place. */
interface RequiredCertificate {
  /** The folder, or "" for Redis. */
  readonly place: string
  /** The actual location, independent of the secrets. */
  readonly location: string
  readonly targets: readonly Target[]
}

/** An open place. */
interface Open extends RequiredCertificate {
  readonly opened: AcmeRunner
}

/** Keyed by identity: the folder or Redis, and the secrets that encrypt what is stored there. */
type Places = ReadonlyMap<string, Open>

/** How long to wait for work in progress to end, in milliseconds. */
const LEAVE = 3000

/** The ACME certificates of all listeners; one instance per process. */
export class AcmeCertificates {
  private readonly options: AcmeOptions
  private places: Places = new Map()
  /** Places being prepared. */
  private coming: Places = new Map()
  /** Certificates of names that have moved to another place, used until there is one there. */
  private last: ReadonlyMap<string, KeyPair> = new Map()
  private readonly listeners = new Set<() => void>()
  private loaded: Promise<void> | null = null
  private started = false
  private shown: ShownChallenges = { version: 0, answers: {}, certificates: {} }

  constructor(options: AcmeOptions) {
    this.options = options
    options.answers.on(challengesTopic, () => this.shown)
  }

  /** Loads stored certificates, as far as they can be read, so that they are used from the first handshake on. */
  load(): Promise<void> {
    this.loaded ??= this.openFirst()
    return this.loaded
  }

  /** The certificates of a listener. */
  source(acme: AcmeConfig): CertificateSource {
    const place = placeOf(acme)
    return {
      current: () => acme.domains.flatMap((name) => this.pairsOf(place, name)),
      onChange: (listener) => {
        this.listeners.add(listener)
        return () => this.listeners.delete(listener)
      },
    }
  }

  /** The names that need certificates, and whether the last order for each succeeded. */
  report(): { readonly name: string; readonly successful: boolean }[] {
    return [...this.places.values()].flatMap(({ targets, opened: { acme } }) =>
      targets.map(({ name }) => ({ name, successful: acme.successful(name) })),
    )
  }

  /** Starts ordering. */
  start(): void {
    this.started = true
    void this.load().then(() => {
      for (const { opened } of this.places.values()) opened.acme.start()
    })
  }

  /**
   * Prepares another configuration: its stored certificates are used from then on, and orders start with the commit. Rejects if its secrets
   * do not decrypt the certificates currently in use.
   */
  async prepare(config: GatewayConfig): Promise<Prepared> {
    await this.load()
    const before = this.places
    const required = requiredBy(config)
    const changes: Prepared[] = []
    const next = new Map<string, Open>()
    const giveUp = (): void => {
      this.coming = new Map()
      for (const change of changes) change.abandon()
      for (const [key, { opened }] of next) if (!before.has(key)) void opened.close()
    }
    try {
      for (const [key, each] of required) {
        const known = before.get(key)
        const opened = known?.opened ?? (await this.open(config, each))
        next.set(key, { ...each, opened })
        if (known === undefined) this.checkSeals({ ...each, opened })
        else changes.push(await opened.prepare(each.targets))
      }
    } catch (error) {
      giveUp()
      throw error
    }
    this.coming = next
    return { commit: () => this.take(next, changes), abandon: giveUp }
  }

  /** Aborts everything in progress; resolves when locks have been released, or cannot be. */
  async stop(): Promise<void> {
    if (this.loaded === null) return
    await this.loaded
    const closed = [...this.places.values()].map(({ opened }) => opened.close())
    if (closed.length > 0) await Promise.race([Promise.all(closed), pause(LEAVE, this.options.clock)])
  }

  private take(next: Places, changes: readonly Prepared[]): void {
    const before = this.places
    const missing = [...next.values()].flatMap(({ targets, opened: { acme } }) =>
      targets.map(({ name }) => name).filter((name) => acme.certificate(name) === null),
    )
    this.last = new Map(missing.flatMap((name) => this.pairsOf('', name).map((pair) => [name, pair])))
    this.places = next
    this.coming = new Map()
    for (const change of changes) change.commit()
    const added = [...next].filter(([key]) => !before.has(key))
    const removed = [...before].filter(([key]) => !next.has(key))
    if (this.started) for (const [, { opened }] of added) opened.acme.start()
    for (const [, { opened }] of removed) void opened.close()
    if (added.length + removed.length > 0) void this.show()
  }

  /** Key pairs stored in that place, otherwise in another one, otherwise the previous ones; empty if there are none yet. */
  private pairsOf(place: string, name: string): KeyPair[] {
    const all = [...this.places.values(), ...this.coming.values()]
    const [here, elsewhere] = [all.filter((each) => each.place === place), all.filter((each) => each.place !== place)]
    for (const { opened } of [...here, ...elsewhere]) {
      const found = opened.acme.certificate(name)
      if (found !== null) return [{ cert: found.cert, key: found.key }]
    }
    const last = this.last.get(name)
    return last === undefined ? [] : [last]
  }

  /** Ensures that the certificates currently in use are still available after a restart. */
  private checkSeals({ location, targets, opened }: Open): void {
    const same = [...this.places.values()].find((each) => each.location === location)?.opened.acme
    if (same === undefined) return
    const lost = targets.find(({ name }) => same.certificate(name) !== null && opened.acme.certificate(name) === null)
    if (lost === undefined) return
    throw new Error(
      `secrets: the certificate of ${lost.name} in the store cannot be decrypted with them: add the secret that it was encrypted with ` +
        'after the current one',
    )
  }

  private async openFirst(): Promise<void> {
    const { config } = this.options
    const places = new Map<string, Open>()
    for (const [key, each] of requiredBy(config)) places.set(key, { ...each, opened: await this.open(config, each) })
    this.places = places
  }

  /** The ACME client and its stores are loaded only if a CA is configured. */
  private async open(config: GatewayConfig, { place, targets }: RequiredCertificate): Promise<AcmeRunner> {
    const { startAcmeRunner } = await import('./acme-runner.ts')
    return startAcmeRunner({ ...this.options, config }, place, targets, {
      show: () => this.show(),
      changed: () => {
        for (const listener of this.listeners) listener()
      },
    })
  }

  private async show(): Promise<void> {
    const shown = [...this.places.values()].map(({ opened }) => opened.shown)
    this.shown = {
      version: this.shown.version + 1,
      answers: Object.fromEntries(shown.flatMap(({ answers }) => Object.entries(answers))),
      certificates: Object.fromEntries(shown.flatMap(({ certificates }) => Object.entries(certificates))),
    }
    await this.options.threads.askAll(challengesChangedTopic, this.shown)
  }
}

function requiredBy(config: GatewayConfig): Map<string, RequiredCertificate> {
  const required = new Map<string, { place: string; location: string; targets: Map<string, Target> }>()
  for (const { tls } of config.listeners) {
    if (tls?.acme === undefined) continue
    const place = placeOf(tls.acme)
    const location = JSON.stringify([place, place === '' ? config.stores.redis : null])
    const key = JSON.stringify([location, config.secrets])
    const there = required.get(key) ?? { place, location, targets: new Map<string, Target>() }
    for (const target of targetsOf(tls.acme)) there.targets.set(target.name, target)
    required.set(key, there)
  }
  return new Map([...required].map(([key, each]) => [key, { ...each, targets: [...each.targets.values()] }]))
}

/** Configuration validation guarantees a folder if there is no Redis. */
function placeOf({ folder = '' }: AcmeConfig): string {
  return folder
}

function targetsOf({ domains, challenge, dns, directory, email }: AcmeConfig): Target[] {
  const authorities = directory.map(({ url, ca, eab }) => ({ url, ca, email, external: eab }))
  return domains.map((name) => ({ name, challenge, dns: dns ?? null, authorities }))
}
