import type { RouteConfig } from '../config/schema.ts'
import type { Counter } from '../core/metrics.ts'
import { LowDiscrepancySequence } from '../core/low-discrepancy-sequence.ts'
import { isStream } from '../http/body.ts'
import type { Deadlines } from '../http/deadlines.ts'
import type { Exchange, RouteInfo } from '../http/exchange.ts'
import type { Handler } from '../http/handler.ts'
import { copyOf, type RequestForm } from '../http/internal-exchange.ts'
import { drain } from '../services/retry/drain.ts'

/** Maximum number of concurrent copies from one route to one service, per worker; beyond that, copies are dropped. */
const MAX_IN_PROGRESS = 100

/** The parts of a mirror. */
export interface MirrorParts {
  /** Fraction of the requests to copy. */
  readonly share: number
  /** The route shown for the copies. */
  readonly route: RouteInfo
  /** Forwards a copy to an instance of the service. */
  readonly forward: Handler
  /** Counts copies that were dropped. */
  readonly dropped: Counter
  readonly deadlines: Deadlines
  readonly random: () => number
}

export type MirrorConfig = NonNullable<RouteConfig['mirror']>[number]

/**
 * Sends copies of requests to another service and discards the replies. A copy is made once the original request has its reply or has
 * failed: until then it costs nothing, and its body has been buffered. Requests whose bodies were too long to be buffered or did not arrive
 * completely cannot be sent twice, and tunnels are bidirectional: neither are copied.
 */
export class Mirror {
  private readonly parts: MirrorParts
  private readonly steps: LowDiscrepancySequence
  private underWay = 0

  constructor(parts: MirrorParts) {
    this.parts = parts
    this.steps = new LowDiscrepancySequence(parts.random())
  }

  /** Whether a request is to be copied. */
  takes({ upgrade }: Exchange): boolean {
    return upgrade === null && this.steps.next() < this.parts.share
  }

  /** Sends a copy of the request in that form. Its result does not affect the exchange. */
  send(exchange: Exchange, form: RequestForm): void {
    const { dropped, deadlines, route } = this.parts
    if (this.underWay >= MAX_IN_PROGRESS || isStream(exchange.body)) return dropped.add(1)
    const copy = copyOf(exchange, exchange.method, deadlines.clock.now(), form)
    copy.body = exchange.body
    copy.route = route
    this.underWay++
    void this.pass(copy).finally(() => {
      this.underWay--
    })
  }

  private async pass(copy: Exchange): Promise<void> {
    try {
      const { body } = await this.parts.forward(copy)
      if (isStream(body)) drain(body, this.parts.deadlines)
    } catch {
      // Recorded in the metrics of the service.
    }
  }
}

/** Lets each mirror copy its share of the requests handled by `next`. */
export function mirrored(next: Handler, mirrors: readonly Mirror[]): Handler {
  return (exchange) => {
    const taking = mirrors.filter((mirror) => mirror.takes(exchange))
    if (taking.length === 0) return next(exchange)
    // The form that policies gave the request: the exchange no longer has it once the reply has arrived.
    const { path, query, headers } = exchange
    const send = (): void => {
      for (const mirror of taking) mirror.send(exchange, { path, query, headers })
    }
    const reply = next(exchange)
    if (reply instanceof Promise) void reply.then(send, send)
    else send()
    return reply
  }
}
