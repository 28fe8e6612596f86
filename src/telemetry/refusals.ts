import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'

/** Interval between two lines, in milliseconds. */
const INTERVAL = 1000

/** Maximum number of routes in a line. */
const ROUTES = 10

/** Refusals for one reason: route -> count. */
type Counts = Map<string, number>

/**
 * Requests that the gateway refuses because of its own state, e.g. because it is too busy. There may be thousands of similar ones per
 * second, so one line per second gives their number for each reason.
 */
export class Refusals {
  private readonly clock: Clock
  private readonly log: Logger
  private readonly counts = new Map<string, Counts>()
  private cancel: (() => void) | null = null

  constructor(clock: Clock, log: Logger) {
    this.clock = clock
    this.log = log
  }

  /** Counts a refusal with that code, on the route with that id. */
  add(code: string, route: string): void {
    let routes = this.counts.get(code)
    if (routes === undefined) this.counts.set(code, (routes = new Map()))
    routes.set(route, (routes.get(route) ?? 0) + 1)
    this.cancel ??= this.clock.after(INTERVAL, () => this.flush())
  }

  /** Logs what has not been logged yet. */
  flush(): void {
    this.cancel?.()
    this.cancel = null
    for (const [code, counts] of this.counts) {
      const requests = [...counts.values()].reduce((sum, count) => sum + count, 0)
      const max = [...counts].toSorted(([, a], [, b]) => b - a).slice(0, ROUTES)
      this.log.warn({ code, requests, routes: Object.fromEntries(max) }, 'Requests were refused')
    }
    this.counts.clear()
  }
}
