import type { GatewayConfig } from '../config/schema.ts'
import { messageOf } from '../core/error-facts.ts'
import type { Logger } from '../core/logger.ts'
import type { TopicHandlers, Threads } from '../core/threads.ts'
import type { FileWatcher } from '../core/watch-files.ts'
import type { HealthChecker } from '../services/health/checker.ts'
import { problemOfTls } from '../tls/judge-outgoing.ts'
import { readPem } from '../tls/read-pem.ts'
import {
  areOfSame,
  type ChangedTls,
  type HeldTls,
  serviceTlsChangedTopic,
  serviceTlsTopic,
} from '../tls/service-tls-topic.ts'

export interface ServiceTlsFilesOptions {
  readonly services: GatewayConfig['services']
  readonly checker: Pick<HealthChecker, 'exchangeTls'>
  readonly files: FileWatcher
  readonly answers: TopicHandlers
  /** Access to all threads, for notifications. */
  readonly threads: Threads
  readonly log: Logger
}

type ServiceTls = NonNullable<GatewayConfig['services'][string]['tls']>

/**
 * Reloads certificates and keys for services when their files change, and notifies the health checks and all threads. If files are
 * unusable, the previous ones remain in use.
 */
export class ServiceTlsFiles {
  private readonly options: ServiceTlsFilesOptions
  /** Service name -> content of its files, as far as usable. */
  private known: Map<string, ServiceTls>
  private current: ChangedTls = { version: 0, services: {} }
  private watching = false
  private ends: (() => void)[] = []

  constructor(options: ServiceTlsFilesOptions) {
    this.options = options
    this.known = tlsOf(options.services)
    options.answers.on(serviceTlsTopic, () => this.current)
  }

  /** Watches the files, if there are any, and picks up what has changed since they were read. */
  start(): void {
    this.watching = true
    this.watch()
  }

  stop(): void {
    this.watching = false
    this.leave()
  }

  /** The TLS options of a service with the current content of its files; undefined if it has none. */
  of(service: string): ServiceTls | undefined {
    return this.known.get(service)
  }

  /** Switches to the files of another configuration, which has just been read. Call this once the health checks use that configuration. */
  configure({ services }: Pick<GatewayConfig, 'services'>): void {
    this.known = tlsOf(services)
    const before = Object.entries(this.current.services)
    const stays = before.every(([name, held]) => {
      const tls = this.known.get(name)
      return tls !== undefined && areOfSame(tls, held) && holdSame(tls, held)
    })
    // Previously read content may be outdated, or belong to files that are no longer named.
    if (!stays) void this.publish(Object.fromEntries(before.flatMap(([name]) => this.knownOf(name))))
    if (this.watching) this.watch()
  }

  private watch(): void {
    const left = this.ends
    this.ends = []
    for (const [name, { files }] of this.known) {
      const paths = Object.values(files).filter((file) => file !== null)
      if (paths.length === 0) continue
      this.ends.push(this.options.files.watch(paths, () => this.read(name)))
    }
    // Only now, so that files of both configurations are watched without a gap.
    for (const end of left) end()
    for (const [name, { files }] of this.known) if (Object.values(files).some((file) => file !== null)) this.read(name)
  }

  private knownOf(name: string): [string, ServiceTls][] {
    const tls = this.known.get(name)
    return tls === undefined ? [] : [[name, tls]]
  }

  private leave(): void {
    for (const end of this.ends) end()
    this.ends = []
  }

  private read(service: string): void {
    const { log, checker } = this.options
    const before = this.known.get(service)
    if (before === undefined) return
    let tls: ServiceTls
    try {
      tls = readAgain(before)
    } catch (error) {
      const reason = messageOf(error)
      return log.error({ service, reason }, 'TLS files of a service cannot be used: the previous ones stay in use')
    }
    if (holdSame(tls, before)) return
    this.known.set(service, tls)
    checker.exchangeTls(service, tls)
    void this.publish({ ...this.current.services, [service]: tls }).then(() =>
      log.info({ service }, 'TLS files of a service were replaced: new connections use the new ones'),
    )
  }

  private publish(services: ChangedTls['services']): Promise<unknown> {
    this.current = { version: this.current.version + 1, services }
    return this.options.threads.askAll(serviceTlsChangedTopic, this.current)
  }
}

function tlsOf(services: GatewayConfig['services']): Map<string, ServiceTls> {
  return new Map(Object.entries(services).flatMap(([name, { tls }]) => (tls ? [[name, tls]] : [])))
}

function holdSame(one: HeldTls, other: HeldTls): boolean {
  return one.ca === other.ca && one.cert === other.cert && one.key === other.key
}

/** Throws an Error that says which file is unusable, and why. */
function readAgain(tls: ServiceTls): ServiceTls {
  const { files } = tls
  const textOf = (name: 'ca' | 'cert' | 'key'): string | undefined => {
    const file = files[name]
    if (file === null) return tls[name]
    try {
      return readPem(file, name === 'key')
    } catch (error) {
      throw new Error(`${file}: ${messageOf(error)}`, { cause: error })
    }
  }
  const fresh = { ...tls, ca: textOf('ca'), cert: textOf('cert'), key: textOf('key') }
  const problem = problemOfTls(fresh)
  if (problem !== null) throw new Error(`${files[problem.option] ?? problem.option}: ${problem.message}`)
  return fresh
}
