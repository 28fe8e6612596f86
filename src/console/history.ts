import type { Column, History, Tally, Window } from './answers.ts'

/** The windows of the last minute, oldest first. */
export function windowsOf({ at, seconds, routes, instances, listeners, counters }: History): Window[] {
  const length = at.length
  const routeTallies = eachOf(routes, length, tallyAt)
  const listenerCounts = eachOf(listeners, length, countAt)
  const counterCounts = eachOf(counters, length, countAt)
  const services = Object.entries(instances).map(([name, all]) => [name, eachOf(all, length, tallyAt)] as const)
  return at.map((end, i) => ({
    at: end,
    seconds: seconds[i] ?? 0,
    routes: routeTallies[i] ?? {},
    instances: Object.fromEntries(services.map(([name, tallies]) => [name, tallies[i] ?? {}])),
    listeners: listenerCounts[i] ?? {},
    counters: counterCounts[i] ?? {},
  }))
}

/** For each window, what `valueAt` gives for each name; names for which that is null are left out. */
function eachOf<Value>(
  all: Readonly<Record<string, readonly Column[]>>,
  length: number,
  valueAt: (columns: readonly Column[], window: number) => Value | null,
): Record<string, Value>[] {
  const windows = Array.from({ length }, (): Record<string, Value> => ({}))
  for (const [name, columns] of Object.entries(all))
    for (const [i, window] of windows.entries()) {
      const value = valueAt(columns, i)
      if (value !== null) window[name] = value
    }
  return windows
}

function tallyAt([unmeasured = [], refused = [], failed = [], ...buckets]: readonly Column[], i: number): Tally | null {
  const counts = buckets.map((column) => numberAt(column, i))
  const requests = counts.reduce((sum, count) => sum + count, numberAt(unmeasured, i))
  return requests === 0 ? null : [requests, numberAt(refused, i), numberAt(failed, i), 0, ...counts]
}

function countAt([column = []]: readonly Column[], i: number): number | null {
  return numberAt(column, i) || null
}

function numberAt(column: Column, i: number): number {
  const [before = 0] = column
  return i < before ? 0 : (column[1 + i - before] ?? 0)
}
