import type { Clock } from '../core/clock.ts'
import type { Metrics } from '../core/metrics.ts'
import { Holder } from '../core/shared.ts'
import { Service, type ServicePlace, type ServiceTools } from './service.ts'
import type { InstanceOptions, ServiceOptions } from './service-options.ts'

/** Discovered instances, with their slots on the health board. */
export interface FoundInstances {
  readonly instances: readonly InstanceOptions[]
  readonly slots: ReadonlyMap<string, number>
}

/** The current state of a service in one configuration: with discovery, it is replaced when its instances change. */
export class CurrentService {
  current: Service
  private readonly options: ServiceOptions
  private readonly tools: ServiceTools
  /** The current instances. */
  private instances: readonly InstanceOptions[]
  /** Null if the configuration lists the instances. */
  private readonly tenure: Tenure | null

  /** `found` are the discovered instances, or null if the configuration lists them. */
  constructor(
    name: string,
    options: ServiceOptions,
    place: ServicePlace,
    found: readonly InstanceOptions[] | null,
    tools: ServiceTools,
  ) {
    this.options = options
    this.tools = tools
    this.instances = found ?? options.instances
    const holder = found === null ? tools.holder : new Holder(tools.holder.thread)
    this.tenure = found === null ? null : new Tenure(tools.holder, holder)
    this.current = new Service(name, { ...options, instances: this.instances }, place, { ...tools, holder })
  }

  /**
   * Switches new requests to these instances; the balancer keeps its state. Resources of removed instances are kept for `gracePeriod` milliseconds
   * for requests in progress. On failure, throws and leaves everything unchanged.
   */
  exchange({ instances, slots }: FoundInstances, gracePeriod: number): void {
    const { tenure, current, options, tools } = this
    if (tenure === null) return
    const holder = new Holder(tools.holder.thread)
    const place = { slots, previous: current }
    try {
      const next = new Service(current.name, { ...options, instances }, place, { ...tools, holder })
      tenure.pass(holder, gracePeriod, tools.deadlines.clock)
      this.current = next
      this.instances = instances
    } catch (error) {
      holder.release()
      throw error
    }
    this.takeOver()
    holder.takeOver()
  }

  /**
   * A copy of the service for inspection: its balancer starts from the state of the live one, and picks made there have no effect here.
   * `holder` must share nothing with others.
   */
  aside(holder: Holder, metrics: Metrics): Service {
    const { current, options, instances, tools } = this
    const slots = new Map(current.instances.map(({ address, slot }) => [address, slot]))
    const place = { slots, previous: current }
    return new Service(current.name, { ...options, instances }, place, { ...tools, holder, metrics })
  }

  /** Applies this configuration's settings to shared resources. */
  takeOver(): void {
    this.current.takeOver()
  }
}

/** Holds the resources of a service's current instances and, for a while, those of its previous ones. */
class Tenure {
  private current: Holder
  /** With the functions that cancel their scheduled release. */
  private readonly former = new Map<Holder, () => void>()

  /** `first` holds the current resources. Everything is released together with `owner`. */
  constructor(owner: Holder, first: Holder) {
    this.current = first
    owner.onRelease(() => this.release())
  }

  /** Switches to `next`; the previous holder is released after `gracePeriod` milliseconds. */
  pass(next: Holder, gracePeriod: number, clock: Clock): void {
    const { current, former } = this
    const end = clock.after(gracePeriod, () => {
      former.delete(current)
      current.release()
    })
    former.set(current, end)
    this.current = next
  }

  private release(): void {
    for (const [holder, callOff] of this.former) {
      callOff()
      holder.release()
    }
    this.former.clear()
    this.current.release()
  }
}
