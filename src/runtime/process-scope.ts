import type { GatewayConfig } from '../config/schema.ts'
import type { Clock } from '../core/clock.ts'
import type { MetricName } from '../core/metric-table.ts'
import { followOutages } from '../core/outage-log.ts'
import { type Prepared, prepareAll } from '../core/prepared.ts'
import type { TopicHandlers, Threads } from '../core/threads.ts'
import { newUuid } from '../core/uuid.ts'
import { type FileWatcher, watchFiles } from '../core/watch-files.ts'
import { HealthBoard } from '../services/health/board.ts'
import { HealthChecker } from '../services/health/checker.ts'
import { HealthHistory } from '../services/health/history.ts'
import type { FoundInstances } from '../services/current-service.ts'
import { type Discovered, Discovery } from '../services/discovery/discovery.ts'
import { EjectionManager } from '../services/passive/ejection-manager.ts'
import { managedServices } from './managed-services.ts'
import { instancesOf, type SlotTable } from '../services/health/slots.ts'
import type { InstanceOptions } from '../services/service-options.ts'
import { type MainMemory, ProcessStores } from '../policies/process-stores.ts'
import { answerLogSettings, logFormatTopic, logLevelTopic } from '../telemetry/log-settings.ts'
import type { LogOutput } from '../telemetry/logger.ts'
import { MetricsHub } from '../telemetry/metrics/hub.ts'
import { AcmeCertificates } from './acme.ts'
import { Certificates } from './certificates.ts'
import { memoryLimit } from './memory.ts'
import { NetworkFiles } from './network-files.ts'
import type { DescribeSources } from './operations/describe.ts'
import { LazyOperations } from './operations/lazy-operations.ts'
import { type AppliedConfig, watchProcess } from './process-metrics.ts'
import { ServiceTlsFiles } from './service-tls-files.ts'
import { TicketSeeds } from './ticket-seeds.ts'

/**
 * How much longer than the process the threads may take to switch to another configuration and release the previous one, in milliseconds.
 */
const SWITCH_GRACE = 10_000

export interface ProcessOptions {
  readonly config: GatewayConfig
  readonly output: LogOutput
  readonly clock: Clock
  readonly random: () => number
  /** The handlers of the main thread. */
  readonly answers: TopicHandlers
  /** Access to all threads. */
  readonly threads: Threads
  /** Intended number of threads that handle requests. */
  readonly size: number
  /** Current number of them. */
  readonly workers: () => number
  /** Phase of the process and its running configuration. */
  readonly running: DescribeSources['running']
}

/** How long to wait for discovered instances at the start, and for additional ones on a reload, in milliseconds. */
const FIRST_ANSWER = 5_000

/** Configured services, including discovered instances. */
type Services = Readonly<
  Record<
    string,
    Omit<GatewayConfig['services'][string], 'instances'> & { readonly instances: readonly InstanceOptions[] }
  >
>

/** What is in effect in the process. */
interface Applied extends AppliedConfig {
  readonly services: Services
  readonly discovered: Discovered
}

const NO_SLOTS: ReadonlyMap<string, number> = new Map()

/** Process-wide resources prepared for a configuration that is about to replace the current one. */
export interface ProcessPrepared extends Prepared {
  /** For the threads with the same configuration. */
  readonly slots: SlotTable
  readonly discovered: Discovered
  /** Resolves when what the configuration adds is as ready as it will get, or after that many ms. Never rejects. */
  warm(timeout: number): Promise<void>
}

/** A prepared change of the instances of services with discovery. */
export interface PreparedInstances extends Prepared {
  /** The affected services, with their new instances. */
  readonly services: ReadonlyMap<string, FoundInstances>
  /** Resolves when the new instances are as ready as they will get, or after that many ms. Never rejects. */
  warm(timeout: number): Promise<void>
}

/** What exists once per process, however many threads handle requests: health checks, limit counters, metrics. */
export class ProcessScope {
  readonly board: HealthBoard
  readonly checker: HealthChecker
  /** State transitions of the instances. */
  readonly history: HealthHistory
  readonly stores: ProcessStores
  readonly hub: MetricsHub
  /** Reports file changes. */
  readonly files: FileWatcher
  /** Memory limit of the process, in bytes; null if there is none. */
  readonly memory: number | null
  /** Key for sampling requests to log; the same for all threads. */
  readonly sampleKey = newUuid()

  private readonly options: ProcessOptions
  private readonly discovery: Discovery
  private readonly ejections: EjectionManager
  private applied: Applied
  private whenDiscovered = (): void => {}
  private readonly networks: NetworkFiles
  private readonly acme: AcmeCertificates
  private readonly certificates: Certificates
  private readonly serviceTls: ServiceTlsFiles
  private readonly tickets: TicketSeeds
  private readonly replies: MainMemory
  private readonly operations: LazyOperations
  private readonly started = Promise.withResolvers<void>()
  private readonly purges: { close(): void }
  private stopWatching = (): void => {}

  constructor(options: ProcessOptions) {
    const { config, output, clock, random, answers, threads, size, workers } = options
    this.options = options
    answerLogSettings(answers, output)
    followOutages(answers, clock, output.log)
    this.board = HealthBoard.for(instancesOf(config), size)
    this.history = new HealthHistory(clock)
    const { record: onTransition } = this.history
    this.checker = new HealthChecker({ board: this.board, clock, random, log: output.log, onTransition })
    this.stores = ProcessStores.create(config.stores.memory.entries, random)
    this.hub = new MetricsHub(threads, answers, clock)
    this.files = watchFiles({ clock, log: output.log })
    const { files } = this
    const { log } = output
    const { metrics } = this.hub
    this.discovery = new Discovery({ clock, random, log, metrics, changed: () => this.whenDiscovered() })
    this.discovery.update(config.services)
    const { services } = config
    this.applied = { config, services, discovered: this.discovery.found(), slots: this.checker.update(services) }
    this.acme = new AcmeCertificates({ config, answers, threads, clock, random, log, metrics })
    const { acme } = this
    this.certificates = new Certificates({ config, files, acme, answers, threads, clock, log, metrics })
    this.tickets = new TicketSeeds(clock, answers)
    this.networks = new NetworkFiles({ config, files, answers, threads, log })
    const { checker } = this
    this.serviceTls = new ServiceTlsFiles({ services: config.services, checker, files, answers, threads, log })
    this.memory = memoryLimit(config.memoryLimit)
    const { board, memory } = this
    this.ejections = new EjectionManager({ board, clock, random, log, metrics, onTransition })
    this.ejections.configure(managedServices(this.applied))
    watchProcess(metrics, { applied: () => this.applied, board, memory, workers })
    this.stores.watch(metrics)
    this.stores.giveMemory(answers, clock)
    this.stores.shareRefreshes(answers, clock)
    this.replies = this.stores.keepReplies(config.stores.memory.replies, answers, clock, metrics)
    this.purges = this.stores.callCdn(answers, clock, log, metrics)
    this.operations = new LazyOperations(async () => {
      const { createOperations } = await import('./operations/create-operations.ts')
      return createOperations({ clock, log, metrics }, this.operated, this.started.promise)
    }, log)
  }

  /** The configuration in effect. */
  get config(): GatewayConfig {
    return this.applied.config
  }

  /** The slots of its instances. */
  get slots(): SlotTable {
    return this.applied.slots
  }

  /** Freezes the instances and stops waiting for any. */
  settle(): void {
    this.discovery.stop()
  }

  /** The discovered instances. */
  get discovered(): Discovered {
    return this.applied.discovered
  }

  /** Discovers the initial instances; resolves when all services have been answered, or after a timeout. Must be called first, and once. */
  async discover(): Promise<void> {
    await this.discovery.start(FIRST_ANSWER)
    const { config } = this
    if (Object.values(config.services).every(({ discover }) => discover === undefined)) return
    const discovered = this.discovery.found()
    const services = this.withFound(config, discovered)
    this.apply({ config, services, discovered, slots: this.checker.update(services) })
  }

  private apply(applied: Applied): void {
    this.applied = applied
    this.ejections.configure(managedServices(applied))
  }

  /** Calls `changed` whenever the discovered instances change. */
  watchInstances(changed: () => void): void {
    this.whenDiscovered = changed
  }

  /** Services including discovered instances; reuses the objects of those in effect where nothing has changed. */
  private withFound(config: GatewayConfig, discovered: Discovered): Services {
    const before = this.applied
    const running = config === before.config
    return Object.fromEntries(
      Object.entries(config.services).map(([name, service]) => {
        const instances = discovered[name]
        if (instances === undefined) return [name, service]
        const known = running && before.discovered[name] === instances ? before.services[name] : undefined
        // The content of TLS files may have changed since the configuration was read.
        const tls = (running ? this.serviceTls.of(name) : undefined) ?? service.tls
        return [name, known ?? { ...service, instances, tls }]
      }),
    )
  }

  /**
   * Prepares the instances discovered since; null if there are no changes. On failure, rejects with an Error that says why, and changes
   * nothing.
   */
  async prepareInstances(): Promise<PreparedInstances | null> {
    const { applied, discovery, checker } = this
    const { config } = applied
    const discovered = discovery.found()
    const changed = Object.keys(discovered).filter((name) => discovered[name] !== applied.discovered[name])
    if (changed.length === 0) return null
    const services = this.withFound(config, discovered)
    const health = await checker.prepare(services, config.drainTimeout + SWITCH_GRACE)
    const { slots } = health
    const found = changed.map(
      (name) => [name, { instances: discovered[name] ?? [], slots: slots[name] ?? NO_SLOTS }] as const,
    )
    return {
      services: new Map(found),
      warm: (timeout) => health.warm(timeout),
      commit: () => {
        health.commit()
        this.apply({ config, services, discovered, slots })
      },
      abandon: () => health.abandon(),
    }
  }

  /** Prepares another configuration. On failure, rejects with an Error that says what is unavailable, and changes nothing. */
  async prepare(config: GatewayConfig): Promise<ProcessPrepared> {
    const gracePeriod = Math.max(this.config.drainTimeout, config.drainTimeout) + SWITCH_GRACE
    const discovery = await this.discovery.prepare(config.services, FIRST_ANSWER)
    const discovered = discovery.found()
    const services = this.withFound(config, discovered)
    const preparing = this.checker.prepare(services, gracePeriod)
    const health = await preparing.catch((error: unknown) => {
      discovery.abandon()
      throw error
    })
    const { slots } = health
    const all = await prepareAll([() => discovery, () => health, () => this.certificates.prepare(config)])
    return {
      slots,
      discovered,
      warm: (timeout) => health.warm(timeout),
      commit: () => {
        all.commit()
        this.configureLog(config)
        this.networks.configure(config)
        this.serviceTls.configure(config)
        this.replies.resize(config.stores.memory.replies)
        this.operations.configure(config.stores.redis)
        this.apply({ config, services, discovered, slots })
      },
      abandon: () => all.abandon(),
    }
  }

  /** A log level set by an operator stays in effect until the configured level changes. */
  private configureLog({ log }: GatewayConfig): void {
    const { threads } = this.options
    const { level, format } = this.config.log
    if (log.level !== level) void threads.askAll(logLevelTopic, log.level)
    if (log.format !== format) void threads.askAll(logFormatTopic, log.format)
  }

  /** Lets operators act on the gateways that share its Redis, and those on this one. */
  joinReplicas(): void {
    this.operations.configure(this.config.stores.redis)
  }

  /** Starts checking the instances; resolves when each has been checked once. */
  start(): Promise<void> {
    const { clock, output } = this.options
    this.checker.start()
    this.networks.start()
    this.certificates.start()
    this.serviceTls.start()
    this.acme.start()
    this.tickets.start()
    this.started.resolve()
    this.stopWatching = this.stores.warn(clock, output.log)
    return this.checker.firstRound
  }

  /** Stops everything it has started; resolves when another process can take over. */
  async stop(): Promise<void> {
    this.settle()
    this.checker.stop()
    this.ejections.stop()
    this.networks.stop()
    this.certificates.stop()
    this.serviceTls.stop()
    this.tickets.stop()
    this.operations.stop()
    this.files.close()
    this.replies.close()
    this.purges.close()
    this.stopWatching()
    await this.acme.stop()
  }

  /** Process information and actions for operators. */
  get operated() {
    const { board, checker, discovery, history, hub, certificates } = this
    const { threads, clock, output, running } = this.options
    return {
      config: () => this.config,
      running,
      networks: () => this.networks.current,
      slots: () => this.slots,
      /** Including discovered instances. */
      services: () => this.applied.services,
      discovery: (service: string) => discovery.report(service),
      report: () => checker.report(),
      history,
      /** The current totals of these metrics across the threads. */
      totals: (names: ReadonlySet<MetricName>) => hub.totals(names),
      /** Reports increases of these metrics from now on. */
      follow: hub.follow.bind(hub),
      certificates: () => certificates.report(),
      board,
      threads,
      everywhere: this.operations.everywhere,
      clock,
      log: output.log,
    }
  }
}
