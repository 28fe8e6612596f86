import { servicesOf } from '../config/route-services.ts'
import type { GatewayConfig } from '../config/schema.ts'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Counter, Metrics } from '../core/metrics.ts'
import type { RouteInfo } from '../http/exchange.ts'
import type { ServerExchange } from '../http/server-exchange.ts'
import type { Running } from '../http/server-handler.ts'

export interface TunnelsOptions {
  /** All exchanges in progress in this thread. */
  readonly running: () => Iterable<Running>
  /** Those of removed listeners. */
  readonly left: () => Iterable<Running>
  readonly clock: Clock
  readonly metrics: Metrics
  readonly log: Logger
}

/** Interval between checks of exchanges waiting for their service, in milliseconds: the reply may turn out to be long-lived. */
const LOOK_AGAIN = 1000

/** An exchange that must end, and its deadline on the clock. */
interface Leaving {
  readonly running: Running
  readonly at: number
}

/**
 * Ends what no longer has a route: WebSockets and event streams one after the other, so that their clients do not all reconnect at once,
 * and all other exchanges still in progress at the deadline.
 */
export class Tunnels {
  private readonly options: TunnelsOptions
  private readonly closed: Counter
  private leaving = new Map<ServerExchange, Leaving>()
  private cancel: (() => void) | null = null

  constructor(options: TunnelsOptions) {
    this.options = options
    this.closed = options.metrics.counter('sallyport_tunnels_closed_total', { reason: 'reload' })
  }

  /**
   * Another configuration has taken over. Exchanges continue if their route still exists and leads to the same service, and their listener
   * remains. The others end within `drainTimeout`; those already due to end keep their deadline.
   */
  keep({ routes, drainTimeout }: Pick<GatewayConfig, 'routes' | 'drainTimeout'>): void {
    const { running: all, left, clock, log } = this.options
    const homeless = new Set([...left()].map(({ exchange }) => exchange))
    let services: ReadonlyMap<string, readonly string[]> | null = null
    const stays = ({ id, service }: RouteInfo): boolean => {
      if (service === null) return true
      // Built only if there are exchanges in progress, as it takes time with thousands of routes.
      services ??= new Map(routes.map((route) => [route.id, servicesOf(route)]))
      return services.get(id)?.includes(service) === true
    }
    const now = clock.now()
    const before = this.leaving
    this.leaving = new Map()
    const lasting: Running[] = []
    for (const running of all()) {
      const { exchange } = running
      const routed = stays(exchange.route)
      if (routed && !homeless.has(exchange)) continue
      const known = before.get(exchange)
      if (known === undefined && running.lasts) lasting.push(running)
      // The remaining exchanges of a removed listener end together with it.
      else if (known !== undefined || !routed) this.leaving.set(exchange, known ?? { running, at: now + drainTimeout })
    }
    // They end before their listener cuts off what is left.
    const parts = lasting.length + (homeless.size === 0 ? 0 : 1)
    for (const [i, running] of lasting.entries())
      this.leaving.set(running.exchange, { running, at: now + Math.ceil((drainTimeout * (i + 1)) / parts) })
    if (lasting.length > 0)
      log.info(
        { tunnels: lasting.length, within_ms: drainTimeout },
        'WebSockets and event streams end: their routes lead elsewhere, or their listener is gone',
      )
    this.endDue()
  }

  /** Cancels all pending ends. */
  close(): void {
    this.cancel?.()
    this.cancel = null
    this.leaving.clear()
  }

  private endDue(): void {
    this.cancel?.()
    this.cancel = null
    const { clock } = this.options
    const now = clock.now()
    let next = Number.POSITIVE_INFINITY
    for (const [exchange, { running, at }] of this.leaving) {
      if (at > now) {
        next = Math.min(next, at)
        continue
      }
      const end = running.end()
      if (end === 'ended') this.closed.add(1)
      if (end !== 'waits') {
        this.leaving.delete(exchange)
        continue
      }
      this.leaving.set(exchange, { running, at: now + LOOK_AGAIN })
      next = Math.min(next, now + LOOK_AGAIN)
    }
    if (next < Number.POSITIVE_INFINITY) this.cancel = clock.after(next - now, () => this.endDue())
  }
}
