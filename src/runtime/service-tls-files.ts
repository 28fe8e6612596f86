import type { GatewayConfig } from '../config/schema.ts'
import type { Logger } from '../core/logger.ts'
import type { Answers, Threads } from '../core/threads.ts'
import type { FileWatcher } from '../core/watch-files.ts'
import type { HealthChecker } from '../services/health/checker.ts'
import { problemOfTls } from '../tls/judge-outgoing.ts'
import { readPem } from '../tls/read-pem.ts'
import { type ChangedTls, serviceTlsChangedTopic, serviceTlsTopic } from '../tls/service-tls-topic.ts'

export interface ServiceTlsFilesOptions {
  readonly services: GatewayConfig['services']
  readonly checker: HealthChecker
  readonly files: FileWatcher
  readonly answers: Answers
  /** All threads, to be told. */
  readonly threads: Threads
  readonly log: Logger
}

type ServiceTls = NonNullable<GatewayConfig['services'][string]['tls']>

/**
 * Reads certificates and keys for services again when their files change, and tells health checks and all threads. Files
 * that cannot be used leave what there was before.
 */
export class ServiceTlsFiles {
  private readonly options: ServiceTlsFilesOptions
  private readonly known: Map<string, ServiceTls>
  private current: ChangedTls = { version: 0, services: {} }
  private ends: (() => void)[] = []

  constructor(options: ServiceTlsFilesOptions) {
    this.options = options
    this.known = new Map(Object.entries(options.services).flatMap(([name, { tls }]) => (tls ? [[name, tls]] : [])))
    options.answers.on(serviceTlsTopic, () => this.current)
  }

  /** Watches the files, if there are any, and takes what has changed since they were read. */
  start(): void {
    for (const [name, { files }] of this.known) {
      const paths = Object.values(files).filter((file) => file !== null)
      if (paths.length === 0) continue
      this.ends.push(this.options.files.watch(paths, () => this.read(name)))
      this.read(name)
    }
  }

  stop(): void {
    for (const end of this.ends) end()
    this.ends = []
  }

  private read(service: string): void {
    const { log, checker, threads } = this.options
    const before = this.known.get(service)!
    let tls: ServiceTls
    try {
      tls = readAgain(before)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      return log.error({ service, reason }, 'TLS to a service stays as it was: its files cannot be used')
    }
    if (tls.ca === before.ca && tls.cert === before.cert && tls.key === before.key) return
    this.known.set(service, tls)
    checker.exchangeTls(service, tls)
    const { version, services } = this.current
    this.current = { version: version + 1, services: { ...services, [service]: tls } }
    void threads
      .askAll(serviceTlsChangedTopic, this.current)
      .then(() => log.info({ service }, 'TLS to a service was exchanged: new connections have what its files hold'))
  }
}

/** Throws an Error that says which file cannot be used, and why. */
function readAgain(tls: ServiceTls): ServiceTls {
  const { files } = tls
  const textOf = (name: 'ca' | 'cert' | 'key'): string | undefined => {
    const file = files[name]
    if (file === null) return tls[name]
    try {
      return readPem(file, name === 'key')
    } catch (error) {
      throw new Error(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    }
  }
  const fresh = { ...tls, ca: textOf('ca'), cert: textOf('cert'), key: textOf('key') }
  const problem = problemOfTls(fresh)
  if (problem !== null) throw new Error(`${files[problem.option] ?? problem.option}: ${problem.message}`)
  return fresh
}
