import { ApiDocs } from '../api-docs/api-docs.ts'
import type { GatewayConfig } from '../config/schema.ts'
import { deriveKeys } from '../core/secrets.ts'
import { Holder } from '../core/shared.ts'
import { TimeSlices } from '../core/time-slices.ts'
import type { Threads } from '../core/threads.ts'
import type { Deadlines } from '../http/deadlines.ts'
import type { PoolSizes } from '../http/lane.ts'
import type { Reply } from '../http/reply.ts'
import type { ServerExchange } from '../http/server-exchange.ts'
import type { Policy } from '../policies/policy.ts'
import type { DraftMetrics, ThreadMetrics } from '../telemetry/metrics/thread-metrics.ts'
import type { HealthBoard } from '../services/health/board.ts'
import { type HealthDocument, healthDocument } from '../services/health/report.ts'
import type { SlotTable } from '../services/health/slots.ts'
import { GenerationStores, type ThreadStoreTools } from '../policies/generation-stores.ts'
import { storeStatuses } from './thread-status.ts'
import { CurrentService, type FoundInstances } from '../services/current-service.ts'
import type { Discovered } from '../services/discovery/discovery.ts'
import type { ServiceTools } from '../services/service.ts'
import { explain, type Subject } from './explain/explain.ts'
import type { Explanation, Question } from './explain/explanation.ts'
import { measuresTime } from './telemetry.ts'
import { ServiceCalls } from './service-calls.ts'
import { silentLogger } from './silent-tools.ts'
import { timed } from './timed-policy.ts'
import { docsRoutes, builtInRoutes, type Readiness } from './built-in-routes.ts'
import type { SnapshotToolbox } from './compiler.ts'
import { Snapshot } from './snapshot.ts'
import { version } from '../core/version.ts'

/** Configuration-independent tools of a thread, used to create generations. */
export interface ThreadTools extends Omit<SnapshotToolbox, OfGeneration>, ThreadStoreTools {
  readonly deadlines: Deadlines
  readonly metrics: ThreadMetrics
  readonly board: HealthBoard
  readonly threads: Threads
  readonly readiness: () => Readiness
  /** Number of the thread among the workers. */
  readonly worker: number
}

/** Policy tools that each generation has for itself. */
type OfGeneration =
  | 'policies'
  | 'callService'
  | 'holder'
  | 'metrics'
  | 'step'
  | 'limits'
  | 'caches'
  | 'repeats'
  | 'apiKeys'
  | 'storesKey'

export interface GenerationOptions {
  readonly config: GatewayConfig
  /** Every available policy, in chain order. */
  readonly policies: readonly Policy[]
  readonly slots: SlotTable
  /** Discovered instances. */
  readonly discovered: Discovered
}

const NONE: ReadonlyMap<string, number> = new Map()

/** The parts of a generation. */
interface GenerationParts {
  readonly services: ReadonlyMap<string, CurrentService>
  readonly stores: GenerationStores
  /** Null if nothing serves it. */
  readonly docs: ApiDocs | null
  readonly snapshot: Snapshot
  readonly holder: Holder
  /** Of the policies. */
  readonly metrics: DraftMetrics
  /** For explaining requests. */
  readonly subject: Subject
}

/** Everything that belongs to one configuration in one thread: its routes with their policies, its services, its documentation. */
export class Generation {
  readonly services: ReadonlyMap<string, CurrentService>
  readonly stores: GenerationStores
  /** Null if nothing serves it. */
  private readonly docs: ApiDocs | null
  private readonly snapshot: Snapshot
  private readonly holder: Holder
  private readonly metrics: DraftMetrics
  private readonly subject: Subject

  /**
   * Compiles the configuration in time slices, so that requests are still handled. `previous` is the generation currently in effect; null
   * for the first one. Rejects if a policy cannot be created, and holds nothing in that case.
   */
  static async build(options: GenerationOptions, tools: ThreadTools, previous: Generation | null): Promise<Generation> {
    const { config, policies } = options
    const { clock, log, threads, readiness } = tools
    const holder = new Holder(tools)
    const metrics = tools.metrics.draft()
    const slices = new TimeSlices(clock)
    // Receiving the configuration from another thread has already taken a whole event-loop turn.
    if (previous !== null) await slices.next()
    try {
      // Stores.
      const stores = new GenerationStores(config.stores.redis, holder, tools)
      // Services.
      const services = await makeServices(
        options,
        { ...tools, holder, stickyKeys: deriveKeys(config.secrets, 'sticky'), zone: zoneOf(config) },
        previous,
        slices,
      )
      // Request processing.
      const { call } = new ServiceCalls(services, holder, clock)
      const { endpoints } = config
      const ownEndpoints = builtInRoutes({
        endpoints,
        readiness,
        health: () => healthOf(services, tools, stores),
        threads,
      })
      const docs =
        endpoints.openapi === false
          ? null
          : new ApiDocs(
              {
                config,
                policies,
                own: ownEndpoints,
                callService: call,
                clock,
                log,
                documentsLog: tools.worker === 0 ? log : silentLogger,
              },
              previous?.docs,
            )
      const step = stepOf(config, clock)
      const own = { policies, callService: call, holder, step, metrics }
      const toolbox = { ...tools, ...own, ...stores.ofPolicies }
      const allOwn = [...ownEndpoints, ...docsRoutes(docs)]
      const snapshot = await Snapshot.build(config, services, allOwn, toolbox, slices)
      await stores.opened()
      const { thread } = holder
      const { board, random, worker } = tools
      const about = { config, policies, services, own: allOwn, snapshot, callService: call }
      const subject = { ...about, stores: stores.ofPolicies, board, clock, random, thread, worker, notes: [] }
      return new Generation({ services, stores, docs, snapshot, holder, metrics, subject })
    } catch (error) {
      holder.release()
      metrics.drop()
      throw error
    }
  }

  private constructor({ services, stores, docs, snapshot, holder, metrics, subject }: GenerationParts) {
    this.subject = subject
    this.services = services
    this.stores = stores
    this.docs = docs
    this.snapshot = snapshot
    this.holder = holder
    this.metrics = metrics
  }

  /** Service -> instance address -> its pool. */
  get pools(): PoolSizes {
    return Object.fromEntries(
      [...this.services].map(
        ([
          name,
          {
            current: { instances },
          },
        ]) => [name, Object.fromEntries(instances.map(({ address, pool }) => [address, pool.size]))],
      ),
    )
  }

  /** Puts this generation into effect: things shared with the previous one use its settings from now on. */
  takeOver(): void {
    for (const service of this.services.values()) service.takeOver()
    this.holder.takeOver()
    this.metrics.keep()
  }

  /** Starts fetching API documents from the services. */
  start(): void {
    this.docs?.start()
  }

  /** Switches the services to these discovered instances; requests to previous ones may continue for `gracePeriod` milliseconds. */
  exchange(found: ReadonlyMap<string, FoundInstances>, gracePeriod: number): void {
    for (const [name, instances] of found) this.services.get(name)?.exchange(instances, gracePeriod)
  }

  handle(exchange: ServerExchange): Reply | Promise<Reply> {
    return this.snapshot.handle(exchange)
  }

  /**
   * Explains what would happen to a request: nothing is sent, counted or stored. Rejects with GatewayError 'bad-request' for an invalid
   * question.
   */
  explain(question: Question): Promise<Explanation> {
    return explain(question, this.subject)
  }

  /** Stops fetching API documents. */
  stop(): void {
    this.docs?.stop()
  }

  /** Called when nothing is in progress any more: closes what no other generation has taken over. */
  close(): void {
    this.holder.release()
    this.metrics.drop()
  }

  /** Returns a function that closes the generation without keeping its compiled parts in memory. */
  get releaser(): () => void {
    const { holder } = this
    return () => holder.release()
  }
}

/** Returns policy steps unchanged, or measured if timings are logged. */
function stepOf(config: GatewayConfig, clock: ThreadTools['clock']): NonNullable<SnapshotToolbox['step']> {
  if (!measuresTime(config)) return (_, create) => create()
  return ({ name }, create) => timed(name, create(), clock)
}

/** Zone of the gateway, from the configuration or the environment; null if neither sets it. */
function zoneOf({ zone }: GatewayConfig): string | null {
  return zone ?? (process.env['SALLYPORT_ZONE'] || null)
}

async function makeServices(
  { config, slots, discovered }: GenerationOptions,
  tools: ServiceTools,
  previous: Generation | null,
  slices: TimeSlices,
): Promise<ReadonlyMap<string, CurrentService>> {
  const services = new Map<string, CurrentService>()
  for (const [name, service] of Object.entries(config.services)) {
    const place = { slots: slots[name] ?? NONE, previous: previous?.services.get(name)?.current ?? null }
    services.set(name, new CurrentService(name, service, place, discovered[name] ?? null, tools))
    if (slices.over) await slices.next()
  }
  return services
}

function healthOf(
  services: ReadonlyMap<string, CurrentService>,
  { board, clock }: ThreadTools,
  { redis }: GenerationStores,
): HealthDocument {
  const reports = Array.from(services, ([service, { current }]) => ({
    service,
    instances: current.instances.map(({ slot, weight }) => ({
      state: board.state(slot),
      drained: board.drained(slot),
      ejected: board.ejections.isEjected(slot),
      weight,
    })),
  }))
  return healthDocument(reports, storeStatuses([redis?.troubles ?? null]), version, clock.wall(), board.outdated)
}
