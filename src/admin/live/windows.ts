import type { Clock } from '../../core/clock.ts'
import { type MetricName, metricTable } from '../../core/metric-table.ts'
import type { MetricsHub } from '../../telemetry/metrics/hub.ts'
import { parseLabels } from '../../telemetry/metrics/labels.ts'
import type { CounterIncreases } from '../../telemetry/metrics/counter-increases.ts'
import type { SeriesName } from '../../telemetry/metrics/series.ts'
import { type Counts, History, REMEMBERED, type Tally } from './history.ts'

/** The length of a window while someone is watching, in milliseconds. */
const INTERVAL = 1000

const BUCKETS = metricTable.sallyport_route_duration_seconds.buckets
const ROUTES = 'sallyport_route_duration_seconds'
const ATTEMPTS = 'sallyport_instance_requests_total'
const DURATIONS = 'sallyport_instance_duration_seconds'
const LISTENERS = 'sallyport_listener_requests_total'

/** Counters that are reported individually if they have risen. */
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

const NAMES: ReadonlySet<MetricName> = new Set([ROUTES, ATTEMPTS, DURATIONS, LISTENERS, ...COUNTERS])

/** The versions of the configuration and of the instances' state in a window: a change means that clients should fetch them again. */
export interface Versions {
  readonly generation: number
  readonly health: number
}

/** What happened between two looks. */
export interface Window extends Versions {
  /** When it ended, in milliseconds since 1970-01-01T00:00:00Z. */
  readonly at: number
  /** Its length in seconds. */
  readonly seconds: number
  /** By route id, "" for requests without a route; routes without requests are left out. */
  readonly routes: Readonly<Record<string, Tally>>
  /** By service and instance address; those without requests are left out. */
  readonly instances: Readonly<Record<string, Readonly<Record<string, Tally>>>>
  /** Requests by listener name; listeners without requests are left out. */
  readonly listeners: Readonly<Record<string, number>>
  /** Counters that have risen, as "name{labels}". */
  readonly counters: Readonly<Record<string, number>>
}

/**
 * The activity of routes and instances, second by second: the increases of what the threads count anyway, in memory shared with them. It is
 * active only while someone is watching, and remembers a minute.
 */
export class Windows {
  private readonly follow: MetricsHub['follow']
  private readonly clock: Clock
  private readonly versions: () => Versions
  private readonly watchers = new Set<(json: string) => void>()
  private readonly history = new History()
  private stop = (): void => {}

  constructor(follow: MetricsHub['follow'], clock: Clock, versions: () => Versions) {
    this.follow = follow
    this.clock = clock
    this.versions = versions
  }

  /** As JSON, what a watcher needs to know before the first window: the versions, and the windows of the last minute of watching. */
  get recent(): string {
    const { generation, health } = this.versions()
    const history = this.history.after(this.clock.wall() - REMEMBERED * INTERVAL)
    return `{"bounds":${JSON.stringify(BUCKETS)},"generation":${generation},"health":${health},"history":${history}}`
  }

  /** Calls `watcher` with the JSON of each window until the returned function is called. */
  watch(watcher: (json: string) => void): () => void {
    if (this.watchers.size === 0) this.begin()
    this.watchers.add(watcher)
    return () => {
      this.watchers.delete(watcher)
      if (this.watchers.size === 0) this.stop()
    }
  }

  private begin(): void {
    const { clock } = this
    const rises = this.follow(NAMES, meaningOf)
    let lastLook = clock.now()
    const cancel = clock.every(INTERVAL, () => {
      const now = clock.now()
      const seconds = (now - lastLook) / 1000
      if (seconds <= 0) return
      lastLook = now
      this.publish(clock.wall(), seconds, rises)
    })
    this.stop = () => {
      cancel()
      rises.close()
    }
  }

  private publish(at: number, seconds: number, rises: CounterIncreases<Meaning>): void {
    const counts = risen(rises)
    const { routes, instances, listeners, counters } = counts
    const { generation, health } = this.versions()
    const json =
      `{"at":${at},"seconds":${seconds},"generation":${generation},"health":${health},"routes":${tallies(routes)},` +
      `"instances":${object(instances, tallies)},"listeners":${object(listeners, String)},"counters":${object(counters, String)}}`
    // One JSON text for all watchers.
    for (const watcher of this.watchers) watcher(json)
    this.history.add(at, seconds, counts)
  }
}

/** What a series contributes to: a tally, or a counter of its own. Names are already JSON, as they appear in each window. */
type Meaning =
  | { readonly kind: 'route'; readonly route: string; readonly outcome: string }
  | { readonly kind: 'attempts'; readonly service: string; readonly instance: string; readonly outcome: string }
  | { readonly kind: 'durations'; readonly service: string; readonly instance: string }
  | { readonly kind: 'listener'; readonly listener: string }
  | { readonly kind: 'counter'; readonly key: string }

function meaningOf({ name, labels: text }: SeriesName): Meaning {
  const labels = parseLabels(text)
  const of = (label: string): string => JSON.stringify(labels.get(label) ?? '')
  if (name === ROUTES) return { kind: 'route', route: of('route'), outcome: labels.get('outcome') ?? '' }
  const instance = { service: of('service'), instance: of('instance') }
  if (name === ATTEMPTS) return { kind: 'attempts', ...instance, outcome: labels.get('status_class') ?? '' }
  if (name === DURATIONS) return { kind: 'durations', ...instance }
  if (name === LISTENERS) return { kind: 'listener', listener: of('listener') }
  return { kind: 'counter', key: JSON.stringify(`${name}{${text}}`) }
}

type Tallies = Map<string, number[]>

/** The increases, by names in JSON. */
function risen(rises: CounterIncreases<Meaning>): Counts {
  const routes: Tallies = new Map()
  const instances = new Map<string, Tallies>()
  const listeners = new Map<string, number>()
  const counters = new Map<string, number>()
  rises.look((meaning, rise) => {
    const [amount = 0] = rise
    if (meaning.kind === 'listener') {
      listeners.set(meaning.listener, amount)
      return
    }
    if (meaning.kind === 'counter') {
      counters.set(meaning.key, amount)
      return
    }
    if (meaning.kind === 'route') {
      const tally = tallyIn(routes, meaning.route)
      addRequests(tally, addTimes(tally, rise), meaning.outcome)
      return
    }
    const service: Tallies = instances.get(meaning.service) ?? new Map()
    instances.set(meaning.service, service)
    const tally = tallyIn(service, meaning.instance)
    if (meaning.kind === 'durations') addTimes(tally, rise)
    else addRequests(tally, amount, meaning.outcome)
  })
  return { routes, instances, listeners, counters }
}

function tallyIn(all: Tallies, name: string): number[] {
  const known = all.get(name)
  if (known !== undefined) return known
  const tally = [0, 0, 0, 0]
  all.set(name, tally)
  return tally
}

const REFUSED = new Set(['refused', '4xx'])
const FAILED = new Set(['failed', '5xx', 'error'])

function addRequests(tally: number[], requests: number, outcome: string): void {
  tally[0]! += requests
  if (REFUSED.has(outcome)) tally[1]! += requests
  if (FAILED.has(outcome)) tally[2]! += requests
}

/** Adds the buckets and seconds of a histogram; returns the number of requests in them. */
function addTimes(tally: number[], rise: Float64Array): number {
  let requests = 0
  let last = BUCKETS.length
  while (last > 0 && rise[last] === 0) last--
  while (tally.length < 5 + last) tally.push(0)
  for (let i = 0; i <= last; i++) {
    const amount = rise[i] ?? 0
    tally[4 + i]! += amount
    requests += amount
  }
  tally[3]! += rise[BUCKETS.length + 1] ?? 0
  return requests
}

/** The JSON of tallies, with seconds to the microsecond. It is concatenated because an object with thousands of keys would be slow. */
function tallies(all: ReadonlyMap<string, Tally>): string {
  return object(all, (tally) => `[${tally.with(3, Math.round(tally[3]! * 1e6) / 1e6).join(',')}]`)
}

function object<Value>(all: ReadonlyMap<string, Value>, jsonOf: (value: Value) => string): string {
  let json = ''
  for (const [name, value] of all) json += `${json === '' ? '' : ','}${name}:${jsonOf(value)}`
  return `{${json}}`
}
