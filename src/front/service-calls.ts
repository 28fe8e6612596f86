import type { Clock } from '../core/clock.ts'
import type { Holder } from '../core/shared.ts'
import type { ServiceReply, ServiceRequest } from '../http/service-request.ts'
import { callService } from '../services/call.ts'
import type { CurrentService } from '../services/current-service.ts'

type Services = ReadonlyMap<string, CurrentService>

const NONE: Services = new Map()

/** For each thread, the calls of the generation in effect. */
const answering = new WeakMap<object, ServiceCalls>()

/**
 * Requests made by policies to services on behalf of the gateway. State kept by policies may outlive their generation: once another
 * generation has taken over, calls go to the service of that name there.
 */
export class ServiceCalls {
  private readonly thread: object
  private readonly clock: Clock
  private own: Services
  private succeeded = false

  constructor(services: Services, holder: Holder, clock: Clock) {
    this.thread = holder.thread
    this.clock = clock
    this.own = services
    holder.onTakeOver(() => {
      const before = answering.get(this.thread)
      if (before !== undefined) before.succeeded = true
      answering.set(this.thread, this)
    })
    holder.onRelease(() => {
      this.own = NONE
      this.succeeded = true
    })
  }

  /** Passed to policies, which may keep it: it references nothing else of the generation. */
  readonly call = (name: string, request: ServiceRequest): Promise<ServiceReply> =>
    callService(this.servicesFor(name), name, request, this.clock)

  private servicesFor(name: string): Services {
    if (!this.succeeded) return this.own
    const now = answering.get(this.thread)?.own ?? NONE
    // Exchanges in progress may still call a service that no longer exists.
    return now.has(name) || !this.own.has(name) ? now : this.own
  }
}
