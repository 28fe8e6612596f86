/** How many windows are remembered: a minute. */
export const REMEMBERED = 60

/**
 * The counts of a window: requests, those with 4xx, those with 5xx or without a reply, seconds, and one number for each bucket up to the
 * last one that is not empty.
 */
export type Tally = readonly number[]

/** What happened in a window, by names in JSON; names without requests, and counters that have not risen, are left out. */
export interface Counts {
  readonly routes: ReadonlyMap<string, Tally>
  readonly instances: ReadonlyMap<string, ReadonlyMap<string, Tally>>
  readonly listeners: ReadonlyMap<string, number>
  readonly counters: ReadonlyMap<string, number>
}

/**
 * The windows of the last minute, as columns: for each name and each of its numbers, one list of the whole minute. With 1,000 busy routes
 * that is a fifth of the windows themselves, which repeat each name sixty times.
 */
export class History {
  private windows: { readonly at: number; readonly seconds: number }[] = []
  /** The number of windows so far. */
  private count = 0
  private readonly routes = new Table()
  private readonly instances = new Map<string, Table>()
  private readonly listeners = new Table()
  private readonly counters = new Table()

  /** Adds the window that ended at `at`, in wall-clock milliseconds. */
  add(at: number, seconds: number, { routes, instances, listeners, counters }: Counts): void {
    this.windows = [...this.windows.slice(1 - REMEMBERED), { at, seconds }]
    const number = this.count++
    for (const table of [this.routes, this.listeners, this.counters]) table.begin(number)
    for (const [service, table] of this.instances) {
      table.begin(number)
      if (table.isEmpty) this.instances.delete(service)
    }
    for (const [route, tally] of routes) this.routes.set(number, route, numbersOf(tally))
    for (const [service, tallies] of instances) {
      const table = this.instances.get(service) ?? new Table()
      this.instances.set(service, table)
      for (const [instance, tally] of tallies) table.set(number, instance, numbersOf(tally))
    }
    for (const [listener, amount] of listeners) this.listeners.set(number, listener, [amount])
    for (const [counter, amount] of counters) this.counters.set(number, counter, [amount])
  }

  /** The windows that ended after `oldest`, as JSON. */
  after(oldest: number): string {
    const recent = this.windows.filter(({ at }) => at > oldest)
    const [from, until] = [this.count - recent.length, this.count]
    const instances = Array.from(this.instances, ([service, table]) => `${service}:${table.json(from, until)}`)
    return (
      `{"at":${JSON.stringify(recent.map(({ at }) => at))},"seconds":${JSON.stringify(recent.map(({ seconds }) => seconds))},` +
      `"routes":${this.routes.json(from, until)},"instances":{${instances.join(',')}},` +
      `"listeners":${this.listeners.json(from, until)},"counters":${this.counters.json(from, until)}}`
    )
  }
}

/** A tally without its seconds, and with the requests that are in no bucket instead of all. */
function numbersOf([requests = 0, refused = 0, failed = 0, , ...buckets]: Tally): number[] {
  return [buckets.reduce((left, amount) => left - amount, requests), refused, failed, ...buckets]
}

interface Row {
  /** By the index of the number; a column has the number of window `n` at `n % REMEMBERED`. */
  readonly columns: (Float64Array | undefined)[]
  /** The last window with that name. */
  last: number
}

/** Some numbers for each name, of the last windows. */
class Table {
  private readonly rows = new Map<string, Row>()

  get isEmpty(): boolean {
    return this.rows.size === 0
  }

  /** Begins a window, in which everything is zero. */
  begin(number: number): void {
    for (const [name, { columns, last }] of this.rows)
      if (number - last >= REMEMBERED) this.rows.delete(name)
      else for (const column of columns) if (column !== undefined) column[number % REMEMBERED] = 0
  }

  set(number: number, name: string, numbers: readonly number[]): void {
    const row = this.rows.get(name) ?? { columns: [], last: number }
    this.rows.set(name, row)
    row.last = number
    for (const [i, value] of numbers.entries()) {
      if (value === 0) continue
      row.columns[i] ??= new Float64Array(REMEMBERED)
      row.columns[i][number % REMEMBERED] = value
    }
  }

  /** The columns of the windows in that range, by name. */
  json(from: number, until: number): string {
    const shown: string[] = []
    for (const [name, { columns }] of this.rows) {
      const lists = Array.from(columns, (column) => (column === undefined ? '[]' : listOf(column, from, until)))
      shown.push(`${name}:[${lists.join(',')}]`)
    }
    return `{${shown.join(',')}}`
  }
}

/** The index of the first number that is not zero, then the numbers from there to the last one that is not zero. */
function listOf(column: Float64Array, from: number, until: number): string {
  const at = (number: number): number => column[number % REMEMBERED] ?? 0
  let [first, last] = [from, until - 1]
  while (first <= last && at(first) === 0) first++
  while (first <= last && at(last) === 0) last--
  if (first > last) return '[]'
  let list = `[${first - from}`
  for (let number = first; number <= last; number++) list += `,${at(number)}`
  return `${list}]`
}
