import type { Clock } from '../core/clock.ts'
import type { Metrics } from '../core/metrics.ts'
import { Holder } from '../core/shared.ts'
import { type InstanceOptions, Service, type ServiceOptions, type ServicePlace, type ServiceTools } from './service.ts'

/** Instances that were found, with their slots on the health board. */
export interface FoundInstances {
  readonly instances: readonly InstanceOptions[]
  readonly slots: ReadonlyMap<string, number>
}

/** A service of one configuration, as it is at the moment: where instances are discovered, it becomes another one with them. */
export class CurrentService {
  current: Service
  private readonly options: ServiceOptions
  private readonly tools: ServiceTools
  /** Those that it has now. */
  private instances: readonly InstanceOptions[]
  /** Null where the configuration names the instances. */
  private readonly tenure: Tenure | null

  /** `found` are the instances where they are discovered, and null where the configuration names them. */
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
   * Sends new requests to these instances from now on, by the balancer, which goes on as it was. What those that are gone need is kept for
   * `rest` milliseconds, as requests to them are under way. Throws what keeps it from that, and is as it was then.
   */
  exchange({ instances, slots }: FoundInstances, rest: number): void {
    const { tenure, current, options, tools } = this
    if (tenure === null) return
    const holder = new Holder(tools.holder.thread)
    const place = { slots, previous: current }
    try {
      const next = new Service(current.name, { ...options, instances }, place, { ...tools, holder })
      tenure.pass(holder, rest, tools.deadlines.clock)
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
   * The service once more, to be looked at: its balancer has the turn of the one that balances, and whatever is picked there changes nothing
   * here. `holder` shares nothing with others.
   */
  aside(holder: Holder, metrics: Metrics): Service {
    const { current, options, instances, tools } = this
    const slots = new Map(current.instances.map(({ address, slot }) => [address, slot]))
    const place = { slots, previous: current }
    return new Service(current.name, { ...options, instances }, place, { ...tools, holder, metrics })
  }

  /** Has what it shares with other configurations go by this one. */
  takeOver(): void {
    this.current.takeOver()
  }
}

/** Holds what the instances of a service need: those that it has now, and for a while those that it had before. */
class Tenure {
  private current: Holder
  /** With what calls off their end. */
  private readonly former = new Map<Holder, () => void>()

  /** `first` holds what they need now. Everything ends with what `owner` holds. */
  constructor(owner: Holder, first: Holder) {
    this.current = first
    owner.hold(() => this.release())
  }

  /** `next` holds it from now on; what was held until now is let go of after `rest` milliseconds. */
  pass(next: Holder, rest: number, clock: Clock): void {
    const { current, former } = this
    const end = clock.after(rest, () => {
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
