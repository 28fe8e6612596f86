import type { GatewayConfig } from '../config/schema.ts'
import type { Clock } from '../core/clock.ts'
import type { MetricName } from '../core/metric-table.ts'
import { type Prepared, prepareAll } from '../core/prepared.ts'
import type { Answers, Threads } from '../core/threads.ts'
import { newUuid } from '../core/uuid.ts'
import { type FileWatcher, watchFiles } from '../core/watch-files.ts'
import { HealthBoard } from '../services/health/board.ts'
import { HealthChecker } from '../services/health/checker.ts'
import { HealthHistory } from '../services/health/history.ts'
import type { FoundInstances } from '../services/current-service.ts'
import { type Discovered, Discovery } from '../services/discovery/discovery.ts'
import { EjectionKeeper } from '../services/passive/keeper.ts'
import { keptServices } from './kept-services.ts'
import { instancesOf, type SlotTable } from '../services/health/slots.ts'
import type { InstanceOptions } from '../services/service.ts'
import { type MainMemory, ProcessStores } from '../policies/process-stores.ts'
import { answerLogSettings, logFormatTopic, logLevelTopic } from '../telemetry/log-settings.ts'
import type { LogOutput } from '../telemetry/logger.ts'
import { MetricsHub } from '../telemetry/metrics/hub.ts'
import { AcmeCertificates } from './acme.ts'
import { Certificates } from './certificates.ts'
import { memoryLimit } from './memory.ts'
import { NetworkFiles } from './network-files.ts'
import type { DescribeSources } from './operations/describe.ts'
import { OperationsOnDemand } from './operations/operations-on-demand.ts'
import { type AppliedConfig, watchProcess } from './process-metrics.ts'
import { ServiceTlsFiles } from './service-tls-files.ts'
import { TicketSeeds } from './ticket-seeds.ts'

/** How much later than the process the threads may go by another configuration, in milliseconds, and let go of the one before. */
const REST_GRACE = 10_000

export interface ProcessOptions {
  readonly config: GatewayConfig
  readonly output: LogOutput
  readonly clock: Clock
  readonly random: () => number
  /** What the main thread answers. */
  readonly answers: Answers
  /** All threads, to be asked. */
  readonly threads: Threads
  /** Threads that are to answer requests. */
  readonly size: number
  /** How many there are now. */
  readonly workers: () => number
  /** What the process is doing, and by which configuration. */
  readonly running: DescribeSources['running']
}

/** How long a service's instances are waited for at the start, and where a reload asks for others, in milliseconds. */
const FIRST_ANSWER = 5_000

/** Services as they are configured, with the instances that were found where they are discovered. */
type Services = Readonly<
  Record<
    string,
    Omit<GatewayConfig['services'][string], 'instances'> & { readonly instances: readonly InstanceOptions[] }
  >
>

/** What the process goes by. */
interface Applied extends AppliedConfig {
  readonly services: Services
  readonly discovered: Discovered
}

const NO_SLOTS: ReadonlyMap<string, number> = new Map()

/** What there is once in a process, made ready for a configuration that is to replace the one before. */
export interface ProcessPrepared extends Prepared {
  /** For the threads that go by the same configuration. */
  readonly slots: SlotTable
  readonly discovered: Discovered
  /** Resolves when what the configuration adds can be used as far as it ever will, or after so many ms. Never rejects. */
  warm(patience: number): Promise<void>
}

/** Other instances of services that discover them, made ready. */
export interface PreparedInstances extends Prepared {
  /** Those services, with the instances that they are to have. */
  readonly services: ReadonlyMap<string, FoundInstances>
  /** Resolves when those that are new can be used as far as they ever will, or after so many ms. Never rejects. */
  warm(patience: number): Promise<void>
}

/** What there is once in a process, however many threads answer requests: health, counts of limits, metrics. */
export class ProcessScope {
  readonly board: HealthBoard
  readonly checker: HealthChecker
  /** What became of the instances. */
  readonly history: HealthHistory
  readonly stores: ProcessStores
  readonly hub: MetricsHub
  /** Tells of files that change. */
  readonly files: FileWatcher
  /** What the process may take, in bytes; null where nothing bounds it. */
  readonly memory: number | null
  /** Decides which requests are logged where not all are: the same for all threads. */
  readonly sampleKey = newUuid()

  private readonly options: ProcessOptions
  private readonly discovery: Discovery
  private readonly ejections: EjectionKeeper
  private applied: Applied
  private whenDiscovered = (): void => {}
  private readonly networks: NetworkFiles
  private readonly acme: AcmeCertificates
  private readonly certificates: Certificates
  private readonly serviceTls: ServiceTlsFiles
  private readonly tickets: TicketSeeds
  private readonly replies: MainMemory
  private readonly operations: OperationsOnDemand
  private readonly purges: { close(): void }
  private stopWatching = (): void => {}

  constructor(options: ProcessOptions) {
    const { config, output, clock, random, answers, threads, size, workers } = options
    this.options = options
    answerLogSettings(answers, output)
    this.board = HealthBoard.for(instancesOf(config), size)
    this.history = new HealthHistory(clock)
    const { tell } = this.history
    this.checker = new HealthChecker({ board: this.board, clock, random, log: output.log, tell })
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
    this.ejections = new EjectionKeeper({ board, clock, random, log, metrics, tell })
    this.ejections.configure(keptServices(this.applied))
    watchProcess(metrics, { applied: () => this.applied, board, memory, workers })
    this.stores.watch(metrics)
    this.stores.giveMemory(answers, clock)
    this.replies = this.stores.keepReplies(config.stores.memory.replies, answers, clock, metrics)
    this.purges = this.stores.callCdn(answers, clock, log, metrics)
    this.operations = new OperationsOnDemand(async () => {
      const { createOperations } = await import('./operations/create-operations.ts')
      return createOperations({ clock, log, metrics }, this.operated)
    }, log)
  }

  /** What the process goes by now. */
  get config(): GatewayConfig {
    return this.applied.config
  }

  /** The slots of its instances. */
  get slots(): SlotTable {
    return this.applied.slots
  }

  /** Instances stay as they are from now on, and none are waited for. */
  settle(): void {
    this.discovery.stop()
  }

  /** What was found where instances are discovered. */
  get discovered(): Discovered {
    return this.applied.discovered
  }

  /** Finds the instances that the process begins with; resolves when all are found, or after a while. To be called first, once. */
  async discover(): Promise<void> {
    const { config } = this
    if (Object.values(config.services).every(({ discover }) => discover === undefined)) return
    await this.discovery.start(FIRST_ANSWER)
    const discovered = this.discovery.found()
    const services = this.withFound(config, discovered)
    this.apply({ config, services, discovered, slots: this.checker.update(services) })
  }

  private apply(applied: Applied): void {
    this.applied = applied
    this.ejections.configure(keptServices(applied))
  }

  /** Calls `changed` whenever other instances are found. */
  watchInstances(changed: () => void): void {
    this.whenDiscovered = changed
  }

  /** Services with the instances that were found: the same objects as those that are applied where nothing is different. */
  private withFound(config: GatewayConfig, discovered: Discovered): Services {
    const before = this.applied
    const running = config === before.config
    return Object.fromEntries(
      Object.entries(config.services).map(([name, service]) => {
        const instances = discovered[name]
        if (instances === undefined) return [name, service]
        const known = running && before.discovered[name] === instances ? before.services[name] : undefined
        // What files of TLS hold may have changed since the configuration was read.
        const tls = (running ? this.serviceTls.of(name) : undefined) ?? service.tls
        return [name, known ?? { ...service, instances, tls }]
      }),
    )
  }

  /**
   * Makes the instances ready that have been found since; null where there are no others. Rejects with an Error that says why they
   * cannot be had, and changes nothing then.
   */
  async prepareInstances(): Promise<PreparedInstances | null> {
    const { applied, discovery, checker } = this
    const { config } = applied
    const discovered = discovery.found()
    const changed = Object.keys(discovered).filter((name) => discovered[name] !== applied.discovered[name])
    if (changed.length === 0) return null
    const services = this.withFound(config, discovered)
    const health = await checker.prepare(services, config.drainTimeout + REST_GRACE)
    const { slots } = health
    const found = changed.map(
      (name) => [name, { instances: discovered[name] ?? [], slots: slots[name] ?? NO_SLOTS }] as const,
    )
    return {
      services: new Map(found),
      warm: (patience) => health.warm(patience),
      commit: () => {
        health.commit()
        this.apply({ config, services, discovered, slots })
      },
      abandon: () => health.abandon(),
    }
  }

  /** Makes another configuration ready. Rejects with an Error that says what of it cannot be had, and changes nothing then. */
  async prepare(config: GatewayConfig): Promise<ProcessPrepared> {
    const rest = Math.max(this.config.drainTimeout, config.drainTimeout) + REST_GRACE
    const discovery = await this.discovery.prepare(config.services, FIRST_ANSWER)
    const discovered = discovery.found()
    const services = this.withFound(config, discovered)
    const preparing = this.checker.prepare(services, rest)
    const health = await preparing.catch((error: unknown) => {
      discovery.abandon()
      throw error
    })
    const { slots } = health
    const all = await prepareAll([() => discovery, () => health, () => this.certificates.prepare(config)])
    return {
      slots,
      discovered,
      warm: (patience) => health.warm(patience),
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

  /** The level that an operator has set stays until the configuration has another one. */
  private configureLog({ log }: GatewayConfig): void {
    const { threads } = this.options
    const { level, format } = this.config.log
    if (log.level !== level) void threads.askAll(logLevelTopic, log.level)
    if (log.format !== format) void threads.askAll(logFormatTopic, log.format)
  }

  /** Begins to check the instances; resolves when every one has been checked once. */
  start(): Promise<void> {
    const { clock, output } = this.options
    this.checker.start()
    this.networks.start()
    this.certificates.start()
    this.serviceTls.start()
    this.acme.start()
    this.tickets.start()
    this.operations.configure(this.config.stores.redis)
    this.stopWatching = this.stores.warn(clock, output.log)
    return this.checker.firstRound
  }

  /** Ends what it has begun; resolves when others may go on with it. */
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

  /** What operators are told of the process, and act on. */
  get operated() {
    const { board, checker, discovery, history, hub, certificates } = this
    const { threads, clock, output, running } = this.options
    return {
      config: () => this.config,
      running,
      networks: () => this.networks.current,
      slots: () => this.slots,
      /** With the instances that were found where they are discovered. */
      services: () => this.applied.services,
      discovery: (service: string) => discovery.report(service),
      report: () => checker.report(),
      history,
      /** What the threads have counted so far of those metrics. */
      totals: (names: ReadonlySet<MetricName>) => hub.totals(names),
      /** By how much those metrics rise from now on. */
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
