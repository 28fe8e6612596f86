import type { Column, History, Window } from './events.ts'

/** The windows of the last minute, oldest first. */
export function windowsOf({ at, seconds, routes, instances, listeners, counters }: History): Window[] {
  const length = at.length
  const routeTallies = eachOf(routes, length, addTallies)
  const listenerCounts = eachOf(listeners, length, addCounts)
  const counterCounts = eachOf(counters, length, addCounts)
  const services = Object.entries(instances).map(([name, all]) => [name, eachOf(all, length, addTallies)] as const)
  return at.map((end, i) => ({
    at: end,
    seconds: seconds[i] ?? 0,
    routes: routeTallies[i] ?? {},
    instances: Object.fromEntries(services.map(([name, tallies]) => [name, tallies[i] ?? {}])),
    listeners: listenerCounts[i] ?? {},
    counters: counterCounts[i] ?? {},
  }))
}

/** For each window, the values of each name; `addTo` puts those of one name into the windows, where they are not nothing. */
function eachOf<Value>(
  all: Readonly<Record<string, readonly Column[]>>,
  length: number,
  addTo: (windows: readonly Map<string, Value>[], name: string, columns: readonly Column[]) => void,
): Record<string, Value>[] {
  const windows = Array.from({ length }, () => new Map<string, Value>())
  for (const [name, columns] of Object.entries(all)) addTo(windows, name, columns)
  return windows.map((window) => Object.fromEntries(window))
}

/** The columns: requests whose duration was not measured, refused ones, failed ones, and one for each bucket of durations. */
function addTallies(windows: readonly Map<string, number[]>[], name: string, columns: readonly Column[]): void {
  const nothing = Array.from({ length: columns.length + 1 }, () => 0)
  for (let c = 0; c < columns.length; c++) {
    const column = columns[c] ?? []
    const [before = 0] = column
    const place = c < 3 ? c : c + 1
    for (let i = 1; i < column.length; i++) {
      const count = column[i] ?? 0
      const window = windows[before + i - 1]
      if (count === 0 || window === undefined) continue
      const tally = window.get(name) ?? [...nothing]
      window.set(name, tally)
      tally[place] = (tally[place] ?? 0) + count
      // Each request is in one bucket.
      if (c >= 3) tally[0] = (tally[0] ?? 0) + count
    }
  }
}

function addCounts(windows: readonly Map<string, number>[], name: string, [column = []]: readonly Column[]): void {
  const [before = 0] = column
  for (const [i, window] of windows.entries()) {
    const count = i < before ? 0 : (column[1 + i - before] ?? 0)
    if (count !== 0) window.set(name, count)
  }
}
