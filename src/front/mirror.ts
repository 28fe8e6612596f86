import type { RouteConfig } from '../config/schema.ts'
import type { Counter } from '../core/metrics.ts'
import { EvenSteps } from '../core/even-steps.ts'
import { isStream } from '../http/body.ts'
import type { Deadlines } from '../http/deadlines.ts'
import type { Exchange, RouteInfo } from '../http/exchange.ts'
import type { Handler } from '../http/handler.ts'
import { copyOf } from '../http/own-exchange.ts'
import { drain } from '../services/retry/drain.ts'

/** Copies of one route that are on their way to one service at the same time, in one worker; beyond that none are made. */
const MOST_UNDER_WAY = 100

/** What a mirror is made of. */
export interface MirrorParts {
  /** How many of the requests are copied, as a part of all. */
  readonly share: number
  /** Where copies go, as their route. */
  readonly route: RouteInfo
  /** Passes a copy to an instance of the service. */
  readonly forward: Handler
  /** Counts those that were not made. */
  readonly dropped: Counter
  readonly deadlines: Deadlines
  readonly random: () => number
}

export type MirrorConfig = NonNullable<RouteConfig['mirror']>[number]

/**
 * Sends copies of requests to another service, whose replies nobody gets. A copy is made when the reply to the request itself has come,
 * or has not: until then it costs nothing, and its body is at hand. Bodies that were too long to be gathered, or had not all come, cannot
 * be sent twice, and tunnels are one conversation: they are not copied.
 */
export class Mirror {
  private readonly parts: MirrorParts
  private readonly steps: EvenSteps
  private underWay = 0

  constructor(parts: MirrorParts) {
    this.parts = parts
    this.steps = new EvenSteps(parts.random())
  }

  /** Whether it is the turn of a request to be copied. */
  takes({ upgrade }: Exchange): boolean {
    return upgrade === null && this.steps.next() < this.parts.share
  }

  /** Sends a copy. Whatever becomes of it is nothing to the exchange. */
  send(exchange: Exchange): void {
    const { dropped, deadlines, route } = this.parts
    if (this.underWay >= MOST_UNDER_WAY || isStream(exchange.body)) return dropped.add(1)
    const copy = copyOf(exchange, exchange.method, deadlines.clock.now())
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
      // The metrics of the service tell of it.
    }
  }
}

/** Has each of the mirrors take its share of what the handler answers. */
export function mirrored(next: Handler, mirrors: readonly Mirror[]): Handler {
  return (exchange) => {
    const taking = mirrors.filter((mirror) => mirror.takes(exchange))
    const reply = next(exchange)
    if (taking.length === 0) return reply
    const send = (): void => {
      for (const mirror of taking) mirror.send(exchange)
    }
    if (reply instanceof Promise) void reply.then(send, send)
    else send()
    return reply
  }
}
