import { BoundedMap } from '../../core/bounded-map.ts'
import type { Clock } from '../../core/clock.ts'
import { type MetricName, metricTable } from '../../core/metric-table.ts'
import { parseLabels } from '../../telemetry/metrics/labels.ts'
import type { Series, Totals } from '../../telemetry/metrics/totals.ts'

/** How often is counted while somebody looks, in milliseconds. */
const INTERVAL = 1000
/** How many windows are remembered: a minute. */
const REMEMBERED = 60

const BUCKETS = metricTable.sallyport_route_duration_seconds.buckets
const ROUTES = 'sallyport_route_duration_seconds'
const ATTEMPTS = 'sallyport_instance_requests_total'
const DURATIONS = 'sallyport_instance_duration_seconds'

/** Counters that are told of as they are, where they have risen. */
const COUNTERS = [
  'sallyport_errors_total',
  'sallyport_shed_total',
  'sallyport_retries_total',
  'sallyport_rate_limit_decisions_total',
  'sallyport_cache_requests_total',
  'sallyport_route_cache_requests_total',
  'sallyport_refused_requests_total',
  'sallyport_tls_handshake_failures_total',
] as const satisfies readonly MetricName[]

const NAMES: ReadonlySet<MetricName> = new Set([ROUTES, ATTEMPTS, DURATIONS, ...COUNTERS])

/** What is counted in a window: requests, those with 4xx, those with 5xx or without a reply, seconds, and one number for each bucket. */
export type Tally = readonly number[]

/** What happened between two looks. */
export interface Window {
  /** When it ended, in milliseconds since 1970-01-01T00:00:00Z. */
  readonly at: number
  /** How long it was, in seconds. */
  readonly seconds: number
  /** By the ids of routes, "" for requests without one; those without requests are left out. */
  readonly routes: Readonly<Record<string, Tally>>
  /** By services and addresses of instances; those without requests are left out. */
  readonly instances: Readonly<Record<string, Readonly<Record<string, Tally>>>>
  /** Counters that have risen, as "name{labels}". */
  readonly counters: Readonly<Record<string, number>>
}

/** Upper bounds of the buckets, in seconds; one more bucket has all that is above. */
export const bucketBounds: readonly number[] = BUCKETS

type Known = ReadonlyMap<string, Float64Array>

/**
 * What happens to routes and instances, second by second: the differences of what the threads count anyway, in memory that is shared
 * with them. It looks only while somebody watches, and remembers a minute.
 */
export class Windows {
  private readonly totals: (names: ReadonlySet<MetricName>) => Totals
  private readonly clock: Clock
  private readonly watchers = new Set<(window: Window) => void>()
  private windows: readonly Window[] = []
  private known: Known = new Map()
  private looked = 0
  private stop = (): void => {}

  constructor(totals: (names: ReadonlySet<MetricName>) => Totals, clock: Clock) {
    this.totals = totals
    this.clock = clock
  }

  /** The windows of the last minute in which somebody watched, the oldest first. */
  get recent(): readonly Window[] {
    const oldest = this.clock.wall() - REMEMBERED * INTERVAL
    return this.windows.filter(({ at }) => at > oldest)
  }

  /** Has `watcher` told of each window, until the returned function is called. */
  watch(watcher: (window: Window) => void): () => void {
    if (this.watchers.size === 0) this.begin()
    this.watchers.add(watcher)
    return () => {
      this.watchers.delete(watcher)
      if (this.watchers.size > 0) return
      this.stop()
      this.known = new Map()
    }
  }

  private begin(): void {
    this.windows = this.recent
    this.known = cellsOf(this.totals(NAMES))
    this.looked = this.clock.now()
    this.stop = this.clock.every(INTERVAL, () => this.look())
  }

  private look(): void {
    const { clock, known } = this
    const now = clock.now()
    const seconds = (now - this.looked) / 1000
    if (seconds <= 0) return
    const totals = this.totals(NAMES)
    const window = { at: clock.wall(), seconds, ...differences(totals, known) }
    this.known = cellsOf(totals)
    this.looked = now
    this.windows = [...this.windows.slice(1 - REMEMBERED), window]
    for (const watcher of this.watchers) watcher(window)
  }
}

function cellsOf(totals: Totals): Known {
  return new Map(totals.all().map((series) => [keyOf(series), series.cells]))
}

function keyOf({ name, labels }: Pick<Series, 'name' | 'labels'>): string {
  return `${name}{${labels}}`
}

/** Labels of series, by their text: they are the same every second. */
const parsed = new BoundedMap<string, ReadonlyMap<string, string>>(20_000)

function labelsOf({ labels }: Series): ReadonlyMap<string, string> {
  const found = parsed.get(labels) ?? parseLabels(labels)
  parsed.set(labels, found)
  return found
}

function differences(totals: Totals, known: Known): Pick<Window, 'routes' | 'instances' | 'counters'> {
  const routes = new Map<string, number[]>()
  const instances = new Map<string, Map<string, number[]>>()
  const counters: Record<string, number> = {}
  for (const series of totals.of(ROUTES)) {
    const rise = riseOf(series, known)
    if (rise === null) continue
    const labels = labelsOf(series)
    const tally = tallyIn(routes, labels.get('route') ?? '')
    const requests = addTimes(tally, rise)
    tally[0]! += requests
    if (labels.get('outcome') === 'refused') tally[1]! += requests
    if (labels.get('outcome') === 'failed') tally[2]! += requests
  }
  const tallyOf = (labels: ReadonlyMap<string, string>): number[] => {
    const name = labels.get('service') ?? ''
    const service = instances.get(name) ?? new Map<string, number[]>()
    instances.set(name, service)
    return tallyIn(service, labels.get('instance') ?? '')
  }
  for (const series of totals.of(ATTEMPTS)) {
    const [requests = 0] = riseOf(series, known) ?? []
    if (requests === 0) continue
    const labels = labelsOf(series)
    const tally = tallyOf(labels)
    const outcome = labels.get('status_class')
    tally[0]! += requests
    if (outcome === '4xx') tally[1]! += requests
    if (outcome === '5xx' || outcome === 'error') tally[2]! += requests
  }
  for (const series of totals.of(DURATIONS)) {
    const rise = riseOf(series, known)
    if (rise !== null) addTimes(tallyOf(labelsOf(series)), rise)
  }
  for (const name of COUNTERS)
    for (const series of totals.of(name)) {
      const [amount = 0] = riseOf(series, known) ?? []
      if (amount > 0) counters[keyOf(series)] = amount
    }
  return {
    routes: Object.fromEntries(routes),
    instances: Object.fromEntries(Array.from(instances, ([name, tallies]) => [name, Object.fromEntries(tallies)])),
    counters,
  }
}

/** What was counted since; null for nothing. Counts fall only where a series was forgotten and is there again: all of them are new then. */
function riseOf(series: Series, known: Known): number[] | null {
  const { cells } = series
  const before = known.get(keyOf(series))
  if (before !== undefined && cells.every((cell, i) => cell === before[i])) return null
  if (before === undefined) return cells.some((cell) => cell > 0) ? [...cells] : null
  const rise = Array.from(cells, (cell, i) => cell - (before[i] ?? 0))
  return rise.some((amount) => amount < 0) ? [...cells] : rise
}

function tallyIn(tallies: Map<string, number[]>, name: string): number[] {
  const tally = tallies.get(name) ?? Array<number>(BUCKETS.length + 5).fill(0)
  tallies.set(name, tally)
  return tally
}

/** Adds buckets and seconds of a histogram; says how many requests they have. */
function addTimes(tally: number[], rise: readonly number[]): number {
  let requests = 0
  for (let i = 0; i <= BUCKETS.length; i++) {
    tally[4 + i]! += rise[i] ?? 0
    requests += rise[i] ?? 0
  }
  tally[3]! += rise[BUCKETS.length + 1] ?? 0
  return requests
}
