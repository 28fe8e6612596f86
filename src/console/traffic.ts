import type { Route } from './answers.ts'
import type { Tally, Window } from './events.ts'
import type { Live } from './live.ts'
import { added, lately, type Rates, ratesOf, secondsOf } from './rates.ts'

/** Selects a tally of a window; null if nothing was counted in it. */
export type Pick = (window: Window) => Tally | null

/** The sums of windows, which do not change. */
const totals = new WeakMap<Window, Tally>()

/** All requests, those without a route included. */
export function ofAll(window: Window): Tally {
  const total = totals.get(window) ?? added(Object.values(window.routes))
  totals.set(window, total)
  return total
}

/** Requests of the route with that id. */
export function ofRoute(id: string): Pick {
  return ({ routes }) => ownOf(routes, id) ?? null
}

/** Requests to the instances of a service; to a single one if it is given. */
export function ofService(service: string, address?: string): Pick {
  return ({ instances }) => {
    const all = ownOf(instances, service) ?? {}
    return address === undefined ? added(Object.values(all)) : (all[address] ?? null)
  }
}

/** The statistics of the last ten seconds, or of the last minute. */
export function recentRates({ windows, bounds }: Live, pick: Pick, seconds?: number): Rates {
  const recent = lately(windows, seconds)
  return ratesOf(recent.map(pick), secondsOf(recent), bounds)
}

/** Requests per second on the listener with that name, over the last ten seconds. */
export function listenerRate({ windows }: Live, name: string): number {
  const recent = lately(windows)
  const requests = recent.reduce((sum, { listeners }) => sum + (ownOf(listeners, name) ?? 0), 0)
  return requests === 0 ? 0 : requests / secondsOf(recent)
}

/** When a route was last used, in milliseconds since 1970; null if it has not been used since the gateway started. */
export function lastUsed({ windows }: Live, { id, lastRequestAt }: Route): number | null {
  const last = windows.findLast(({ routes }) => Object.hasOwn(routes, id))
  const before = lastRequestAt === null ? null : Date.parse(lastRequestAt)
  return last === undefined ? before : Math.max(last.at, before ?? 0)
}

/** Requests per second, for each second of the last minute. */
export function pointsOf({ windows }: Live, pick: Pick): number[] {
  return windows.map((window) => (pick(window)?.[0] ?? 0) / window.seconds)
}

/** Failed requests per second. */
export function failurePoints({ windows }: Live, pick: Pick): number[] {
  return windows.map((window) => (pick(window)?.[2] ?? 0) / window.seconds)
}

/** The 95th percentile in milliseconds, for each second; 0 if there were no requests. */
export function slowPoints({ windows, bounds }: Live, pick: Pick): number[] {
  return windows.map((window) => ratesOf([pick(window)], window.seconds, bounds).p95 ?? 0)
}

/** What a record has by that name. Every object inherits some names that routes, services and listeners may have, such as "constructor". */
function ownOf<Value>(record: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined
}
