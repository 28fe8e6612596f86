import type { Clock } from '../core/clock.ts'
import type { ErrorCode } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'

/** Between two lines, in milliseconds. */
const INTERVAL = 1000

/** Routes that a line names. */
const ROUTES = 10

/** What was refused for one reason: route -> how many. */
type Counts = Map<string, number>

/**
 * Requests that the gateway refuses because it cannot do otherwise at the moment, such as when it is too busy. There may be
 * thousands a second, and each looks like the others: one line a second says of each reason how many they were.
 */
export class Refusals {
  private readonly clock: Clock
  private readonly log: Logger
  private readonly counts = new Map<ErrorCode, Counts>()
  private cancel: (() => void) | null = null

  constructor(clock: Clock, log: Logger) {
    this.clock = clock
    this.log = log
  }

  /** Counts one with that code, on the route with that id. */
  add(code: ErrorCode, route: string): void {
    let routes = this.counts.get(code)
    if (routes === undefined) this.counts.set(code, (routes = new Map()))
    routes.set(route, (routes.get(route) ?? 0) + 1)
    this.cancel ??= this.clock.after(INTERVAL, () => this.flush())
  }

  /** Says what has not been said yet. */
  flush(): void {
    this.cancel?.()
    this.cancel = null
    for (const [code, counts] of this.counts) {
      const requests = [...counts.values()].reduce((sum, count) => sum + count, 0)
      const most = [...counts].toSorted(([, a], [, b]) => b - a).slice(0, ROUTES)
      this.log.warn({ code, requests, routes: Object.fromEntries(most) }, 'Requests were refused')
    }
    this.counts.clear()
  }
}
