import { ApiDocs } from '../api-docs/api-docs.ts'
import type { GatewayConfig } from '../config/schema.ts'
import { Holder } from '../core/shared.ts'
import type { Threads } from '../core/threads.ts'
import type { Deadlines } from '../http/deadlines.ts'
import type { PoolSizes } from '../http/lane.ts'
import type { Reply } from '../http/reply.ts'
import type { ServerExchange } from '../http/server-exchange.ts'
import type { ServiceRequest } from '../http/service-request.ts'
import type { Policy } from '../policies/policy.ts'
import { callService } from '../services/call.ts'
import type { HealthBoard } from '../services/health/board.ts'
import { type HealthDocument, healthDocument, type StoreStatuses } from '../services/health/report.ts'
import type { SlotTable } from '../services/health/slots.ts'
import { Service, type ServiceOptions } from '../services/service.ts'
import { docsRoutes, ownRoutes, type Readiness } from './own-routes.ts'
import { Snapshot, type SnapshotToolbox } from './snapshot.ts'
import { version } from './version.ts'

/** What a thread has whatever the configuration is: generations are made with it. */
export interface ThreadTools extends Omit<SnapshotToolbox, 'policies' | 'callService' | 'holder'> {
  readonly deadlines: Deadlines
  readonly board: HealthBoard
  readonly threads: Threads
  readonly readiness: () => Readiness
  /** How the stores are; null where there are none but the memory. */
  readonly stores: () => StoreStatuses | null
}

export interface GenerationOptions {
  readonly config: GatewayConfig
  /** Every policy that the configuration may name, in the order of the chain. */
  readonly policies: readonly Policy[]
  readonly slots: SlotTable
}

const NONE: ReadonlyMap<string, number> = new Map()

/** What belongs to one configuration in one thread: its routes with their policies, its services, its documentation. */
export class Generation {
  readonly services: ReadonlyMap<string, Service>
  private readonly options: GenerationOptions
  private readonly tools: ThreadTools
  /** Null where nothing serves it. */
  private readonly docs: ApiDocs | null
  private readonly snapshot: Snapshot
  private readonly holder: Holder

  /**
   * `previous` is the one that answers now, which this one is to follow; null for the first one. Throws what a policy throws
   * that cannot be made, and holds nothing then.
   */
  constructor(options: GenerationOptions, tools: ThreadTools, previous: Generation | null) {
    const { config, policies } = options
    const { clock, log, threads, readiness } = tools
    this.options = options
    this.tools = tools
    this.holder = new Holder(tools)
    try {
      // Where requests go.
      this.services = this.makeServices(previous)
      // What is done with them on the way.
      const call = (name: string, request: ServiceRequest) => callService(this.services, name, request, clock)
      const { endpoints } = config
      const own = ownRoutes({ endpoints, readiness, health: () => this.health(), threads })
      this.docs =
        endpoints.openapi === false ? null : new ApiDocs({ config, policies, own, callService: call, clock, log })
      const toolbox = { ...tools, policies, callService: call, holder: this.holder }
      this.snapshot = new Snapshot(config, this.services, [...own, ...docsRoutes(this.docs)], toolbox)
    } catch (error) {
      this.holder.release()
      throw error
    }
  }

  /** Service -> address of an instance -> its pool. */
  get pools(): PoolSizes {
    return Object.fromEntries(
      [...this.services].map(([name, { instances }]) => [
        name,
        Object.fromEntries(instances.map(({ address, pool }) => [address, pool.size])),
      ]),
    )
  }

  /** It is the one that answers from now on: what it shares with the one before goes by its settings. */
  takeOver(): void {
    for (const service of this.services.values()) service.takeOver()
  }

  /** The services can be asked for their documents. */
  start(): void {
    this.docs?.start()
  }

  handle(exchange: ServerExchange): Reply | Promise<Reply> {
    return this.snapshot.handle(exchange)
  }

  /** No documents are asked for any more. */
  stop(): void {
    this.docs?.stop()
  }

  /** Nothing is under way any more: what no other generation has taken over ends. */
  close(): void {
    this.holder.release()
  }

  private makeServices(previous: Generation | null): ReadonlyMap<string, Service> {
    const { config, slots } = this.options
    const tools = { ...this.tools, holder: this.holder }
    const make = (name: string, service: ServiceOptions): Service => {
      const place = { slots: slots[name] ?? NONE, previous: previous?.services.get(name) ?? null }
      return new Service(name, service, place, tools)
    }
    return new Map(Object.entries(config.services).map(([name, service]) => [name, make(name, service)]))
  }

  private health(): HealthDocument {
    const { config, slots } = this.options
    const { board, stores, clock } = this.tools
    const reports = Object.keys(config.services).map((service) => ({
      service,
      instances: [...(slots[service] ?? NONE).values()].map((slot) => ({
        state: board.state(slot),
        drained: board.drained(slot),
      })),
    }))
    return healthDocument(reports, stores(), version, clock.wall())
  }
}
