import { Acme, type Target } from '../acme/acme.ts'
import { challengeCertificate } from '../acme/challenge-certificate.ts'
import type { ShownChallenges } from '../acme/challenges-topic.ts'
import type { Challenge } from '../acme/challenge.ts'
import { FileStore } from '../acme/file-store.ts'
import { Seal } from '../core/seal.ts'
import type { AcmeStore } from '../acme/store.ts'
import { type Clock, pause } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import type { Prepared } from '../core/prepared.ts'
import { deriveKeys } from '../core/secrets.ts'
import { RedisAcmeStore } from '../acme/redis-store.ts'
import { connectRedis } from '../redis/client.ts'
import type { GatewayConfig } from '../config/schema.ts'

export interface AcmeRunnerOptions {
  readonly config: GatewayConfig
  readonly clock: Clock
  readonly random: () => number
  readonly log: Logger
  readonly metrics: Metrics
}

/** Certificates from CAs stored in one place: a folder, or Redis. */
export interface AcmeRunner {
  readonly acme: Acme
  /** The current answers to challenges. */
  shown: Omit<ShownChallenges, 'version'>
  /** Prepares a change of targets. */
  readonly prepare: (targets: readonly Target[]) => Promise<Prepared>
  /** Aborts everything in progress; resolves when locks have been released. */
  readonly close: () => Promise<void>
}

export interface AcmeRunnerEvents {
  /** The answers to challenges have changed; resolves when every thread has them. */
  readonly show: () => Promise<void>
  /** Called when there is a new certificate. */
  readonly changed: () => void
}

/** Time limit for Redis to connect, and to reply, in milliseconds. */
const TIMEOUT = 1000
const SILENCE = 5000

/** Opens the folder of that name, or Redis for "", and loads its content as far as it can be read. */
export async function startAcmeRunner(
  options: AcmeRunnerOptions,
  place: string,
  targets: readonly Target[],
  { show, changed }: AcmeRunnerEvents,
): Promise<AcmeRunner> {
  const { config, clock, random, log, metrics } = options
  const acme = new Acme({
    targets,
    store: await storeAt(options, place),
    seal: new Seal({ keys: deriveKeys(config.secrets, 'acme'), acceptsPlain: place !== '' }),
    clock,
    random,
    log,
    show: (challenges) => {
      opened.shown = shownOf(challenges, clock.wall())
      return show()
    },
    changed,
    ordered: (name, outcome) => metrics.counter('sallyport_acme_orders_total', { name, outcome }).add(1),
  })
  const measured = measure(acme, options)
  measured.follow(targets)
  const opened: AcmeRunner = {
    shown: { answers: {}, certificates: {} },
    acme,
    async prepare(next) {
      const prepared = await acme.prepare(next)
      return {
        commit() {
          prepared.commit()
          measured.follow(next)
        },
        abandon: () => prepared.abandon(),
      }
    },
    close() {
      measured.follow([])
      return acme.stop()
    },
  }
  await acme.load()
  return opened
}

/** Maintains the metrics of targets. */
function measure(acme: Acme, { metrics }: AcmeRunnerOptions) {
  const watched = new Map<string, () => void>()
  const watch = (name: string): (() => void) => {
    metrics.counter('sallyport_acme_orders_total', { name, outcome: 'issued' })
    metrics.counter('sallyport_acme_orders_total', { name, outcome: 'failed' })
    const ends = [
      metrics.watch('sallyport_acme_last_order_successful', { name }, () => (acme.successful(name) ? 1 : 0)),
      metrics.watch(
        'sallyport_acme_issued_timestamp_seconds',
        { name },
        () => (acme.certificate(name)?.issued ?? 0) / 1000,
      ),
    ]
    return () => {
      for (const end of ends) end()
    }
  }
  return {
    /** Sets the current targets. */
    follow(targets: readonly Target[]): void {
      const names = new Set(targets.map(({ name }) => name))
      for (const [name, end] of watched) {
        if (names.has(name)) continue
        watched.delete(name)
        end()
      }
      for (const name of names) if (!watched.has(name)) watched.set(name, watch(name))
    },
  }
}

async function storeAt({ config, clock }: AcmeRunnerOptions, place: string): Promise<AcmeStore> {
  const { redis } = config.stores
  if (place !== '' || redis === null) return new FileStore(place, clock)
  const client = connectRedis(redis, SILENCE)
  const ready = new Promise<void>((resolve) => void client.once('ready', resolve))
  await Promise.race([ready, pause(TIMEOUT, clock)])
  return new RedisAcmeStore(client)
}

function shownOf(challenges: readonly Challenge[], now: number): AcmeRunner['shown'] {
  const tokens = challenges.filter(({ type }) => type === 'http-01')
  const names = challenges.filter(({ type }) => type === 'tls-alpn-01')
  return {
    answers: Object.fromEntries(tokens.map(({ token, keyAuthorization }) => [token, keyAuthorization])),
    certificates: Object.fromEntries(names.map((each) => [each.domain, challengeCertificate(each, now)])),
  }
}
