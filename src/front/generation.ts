import { ApiDocs } from '../api-docs/api-docs.ts'
import type { GatewayConfig } from '../config/schema.ts'
import { deriveKeys } from '../core/secrets.ts'
import { Holder } from '../core/shared.ts'
import { Slices } from '../core/slices.ts'
import type { Threads } from '../core/threads.ts'
import type { Deadlines } from '../http/deadlines.ts'
import type { PoolSizes } from '../http/lane.ts'
import type { Reply } from '../http/reply.ts'
import type { ServerExchange } from '../http/server-exchange.ts'
import type { Policy } from '../policies/policy.ts'
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
import { timed } from './timed-policy.ts'
import { docsRoutes, ownRoutes, type Readiness } from './own-routes.ts'
import type { SnapshotToolbox } from './compiler.ts'
import { Snapshot } from './snapshot.ts'
import { version } from '../core/version.ts'

/** What a thread has whatever the configuration is: generations are made with it. */
export interface ThreadTools extends Omit<SnapshotToolbox, OfGeneration>, ThreadStoreTools {
  readonly deadlines: Deadlines
  readonly board: HealthBoard
  readonly threads: Threads
  readonly readiness: () => Readiness
  /** Number of the thread among the workers. */
  readonly worker: number
}

/** Tools of policies that each generation has of its own. */
type OfGeneration =
  | 'policies'
  | 'callService'
  | 'holder'
  | 'step'
  | 'limits'
  | 'caches'
  | 'repeats'
  | 'apiKeys'
  | 'storesKey'

export interface GenerationOptions {
  readonly config: GatewayConfig
  /** Every policy that the configuration may name, in the order of the chain. */
  readonly policies: readonly Policy[]
  readonly slots: SlotTable
  /** What was found where instances are discovered. */
  readonly discovered: Discovered
}

const NONE: ReadonlyMap<string, number> = new Map()

/** What a generation is composed of. */
interface GenerationParts {
  readonly services: ReadonlyMap<string, CurrentService>
  readonly stores: GenerationStores
  /** Null where nothing serves it. */
  readonly docs: ApiDocs | null
  readonly snapshot: Snapshot
  readonly holder: Holder
  /** To be asked what becomes of requests. */
  readonly subject: Subject
}

/** What belongs to one configuration in one thread: its routes with their policies, its services, its documentation. */
export class Generation {
  readonly services: ReadonlyMap<string, CurrentService>
  readonly stores: GenerationStores
  /** Null where nothing serves it. */
  private readonly docs: ApiDocs | null
  private readonly snapshot: Snapshot
  private readonly holder: Holder
  private readonly subject: Subject

  /**
   * Compiles it in slices, so that requests are answered meanwhile. `previous` is the one that answers now, which this one is
   * to follow; null for the first one. Rejects with what a policy throws that cannot be made, and holds nothing then.
   */
  static async build(options: GenerationOptions, tools: ThreadTools, previous: Generation | null): Promise<Generation> {
    const { config, policies } = options
    const { clock, log, threads, readiness } = tools
    const holder = new Holder(tools)
    const slices = new Slices(clock)
    // To take the configuration from another thread was a turn by itself.
    if (previous !== null) await slices.next()
    try {
      // Where things are kept.
      const stores = new GenerationStores(config.stores.redis, holder, tools)
      // Where requests go.
      const services = await makeServices(
        options,
        { ...tools, holder, stickyKeys: deriveKeys(config.secrets, 'sticky'), zone: zoneOf(config) },
        previous,
        slices,
      )
      // What is done with them on the way.
      const { call } = new ServiceCalls(services, holder, clock)
      const { endpoints } = config
      const ownEndpoints = ownRoutes({ endpoints, readiness, health: () => healthOf(services, tools, stores), threads })
      const docs =
        endpoints.openapi === false
          ? null
          : new ApiDocs({ config, policies, own: ownEndpoints, callService: call, clock, log })
      const step = stepOf(config, clock)
      const own = { policies, callService: call, holder, step }
      const toolbox = { ...tools, ...own, ...stores.ofPolicies }
      const allOwn = [...ownEndpoints, ...docsRoutes(docs)]
      const snapshot = await Snapshot.build(config, services, allOwn, toolbox, slices)
      await stores.opened()
      const { thread } = holder
      const { board, random, worker } = tools
      const about = { config, policies, services, own: allOwn, snapshot, callService: call }
      const subject = { ...about, stores: stores.ofPolicies, board, clock, random, thread, worker, notes: [] }
      return new Generation({ services, stores, docs, snapshot, holder, subject })
    } catch (error) {
      holder.release()
      throw error
    }
  }

  private constructor({ services, stores, docs, snapshot, holder, subject }: GenerationParts) {
    this.subject = subject
    this.services = services
    this.stores = stores
    this.docs = docs
    this.snapshot = snapshot
    this.holder = holder
  }

  /** Service -> address of an instance -> its pool. */
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

  /** It is the one that answers from now on: what it shares with the one before goes by its settings. */
  takeOver(): void {
    for (const service of this.services.values()) service.takeOver()
    this.holder.takeOver()
  }

  /** The services can be asked for their documents. */
  start(): void {
    this.docs?.start()
  }

  /** Has requests to these services go to the instances that were found; for `rest` milliseconds those to others go on. */
  exchange(found: ReadonlyMap<string, FoundInstances>, rest: number): void {
    for (const [name, instances] of found) this.services.get(name)?.exchange(instances, rest)
  }

  handle(exchange: ServerExchange): Reply | Promise<Reply> {
    return this.snapshot.handle(exchange)
  }

  /** What would become of a request: nothing is sent, counted or stored. Rejects with GatewayError 'bad-request' for what is no question. */
  explain(question: Question): Promise<Explanation> {
    return explain(question, this.subject)
  }

  /** No documents are asked for any more. */
  stop(): void {
    this.docs?.stop()
  }

  /** Nothing is under way any more: what no other generation has taken over ends. */
  close(): void {
    this.holder.release()
  }

  /** Closes it, and keeps nothing of what is compiled. */
  get releaser(): () => void {
    const { holder } = this
    return () => holder.release()
  }
}

/** As it is, or measured where the log says how long it takes. */
function stepOf(config: GatewayConfig, clock: ThreadTools['clock']): NonNullable<SnapshotToolbox['step']> {
  if (!measuresTime(config)) return (_, create) => create()
  return ({ name }, create) => timed(name, create(), clock)
}

/** Where the gateway is: as the configuration says, or the environment; null where neither does. */
function zoneOf({ zone }: GatewayConfig): string | null {
  return zone ?? (process.env['SALLYPORT_ZONE'] || null)
}

async function makeServices(
  { config, slots, discovered }: GenerationOptions,
  tools: ServiceTools,
  previous: Generation | null,
  slices: Slices,
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
      ejected: board.ejections.holds(slot),
      weight,
    })),
  }))
  return healthDocument(reports, storeStatuses([redis?.troubles ?? null]), version, clock.wall(), board.outdated)
}
