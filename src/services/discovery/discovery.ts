import type { InstanceOptions } from '../service.ts'
import { LONGEST_DELAY } from '../../core/clock.ts'
import type { Metrics } from '../../core/metrics.ts'
import type { Prepared } from '../../core/prepared.ts'
import type { Toolbox } from '../../core/toolbox.ts'
import type { DiscoveryKindName, Found } from './discoverer.ts'
import type { DiscoverOptions } from './index.ts'
import { Source } from './source.ts'
import { discoverFor } from './ways.ts'

/** The part of a service's configuration that says how its instances are found. */
export interface Discovering {
  readonly discover?: DiscoverOptions | undefined
}

type Services = Readonly<Record<string, Discovering>>

/** The instances of services that discover them, by the names of these: none where nothing has been found yet. */
export type Discovered = Readonly<Record<string, readonly InstanceOptions[]>>

/** What is known of how the instances of a service are found. */
export interface DiscoveryReport {
  /** The way. */
  readonly kind: DiscoveryKindName
  /** What is asked for. */
  readonly subject: string
  readonly instances: number
  /** When they were last found out, in milliseconds since 1970-01-01T00:00:00Z; null before the first answer. */
  readonly lastSuccess: number | null
  /** Why discovery fails at present; null while it works. */
  readonly problem: string | null
}

/** The discovery of a configuration that is to replace the one before. */
export interface PreparedDiscovery extends Prepared {
  /** What is found by it so far: a service that is asked for anew has what it had, until the first answer. */
  readonly found: () => Discovered
}

export interface DiscoveryOptions extends Toolbox {
  readonly metrics: Metrics
  /** Told when other instances are found than before. */
  readonly changed: () => void
}

const NONE: readonly InstanceOptions[] = []

/** The sources of services by the names of these. */
type Table = ReadonlyMap<string, Source>

/** Finds the instances of all services that do not name them: one for the process, in its main thread. */
export class Discovery {
  private readonly options: DiscoveryOptions
  private services: Services = {}
  private sources: Table = new Map()
  private latest: Discovered = {}
  /** What was made of what a source found, as what stays the same is to stay the same object. */
  private readonly made = new WeakMap<readonly Found[], Map<string, readonly InstanceOptions[]>>()
  private running = false
  /** End the waits for first answers that are under way. */
  private readonly waits = new Set<() => void>()

  constructor(options: DiscoveryOptions) {
    this.options = options
    const labelled = (value: (source: Source) => number) => () =>
      Array.from(this.sources, ([service, source]) => ({ labels: { service }, value: value(source) }))
    options.metrics.watchAll(
      'sallyport_discovery_instances',
      labelled(({ instances }) => instances?.length ?? 0),
    )
    options.metrics.watchAll(
      'sallyport_discovery_last_success_timestamp_seconds',
      labelled(({ lastSuccess }) => (lastSuccess ?? 0) / 1000),
    )
  }

  /** Begins to ask; resolves when everything has been answered once, or after so many milliseconds. */
  async start(patience: number): Promise<void> {
    this.running = true
    await this.answers(this.sources, patience)
  }

  /** Asks nobody any more, and waits for nothing. */
  stop(): void {
    this.running = false
    for (const end of this.waits) end()
    for (const source of this.sources.values()) source.stop()
  }

  /** Goes by these services at once. */
  update(services: Services): void {
    this.adopt(services, this.tableOf(services))
  }

  /**
   * Begins to ask for what the services of a new configuration ask for besides; resolves when that has been answered once, or
   * after so many milliseconds.
   */
  async prepare(services: Services, patience: number): Promise<PreparedDiscovery> {
    const table = this.tableOf(services)
    if (this.running) await this.answers(table, patience)
    return {
      found: () => this.foundBy(services, table),
      commit: () => this.adopt(services, table),
      abandon: () => stopOnlyIn(table, this.sources),
    }
  }

  /** What is found now: the same object for a service while nothing changes. */
  found(): Discovered {
    this.latest = this.foundBy(this.services, this.sources)
    return this.latest
  }

  /** What is known of one service; null where it names its instances. */
  report(service: string): DiscoveryReport | null {
    const source = this.sources.get(service)
    if (source === undefined) return null
    const { kind, subject, instances, lastSuccess, problem } = source
    return { kind, subject, instances: instances?.length ?? 0, lastSuccess, problem }
  }

  /** Sources that there are already are taken over where they ask for the same. */
  private tableOf(services: Services): Table {
    const known = new Map<string, Source>()
    for (const [name, source] of this.sources) known.set(askedBy(this.services[name]?.discover), source)
    const table = new Map<string, Source>()
    for (const [name, { discover }] of Object.entries(services)) {
      if (discover === undefined) continue
      const asked = askedBy(discover)
      const source = known.get(asked) ?? new Source({ ...this.options, ...discoverFor(discover, this.options) })
      known.set(asked, source)
      table.set(name, source)
    }
    return table
  }

  private async answers(table: Table, patience: number): Promise<void> {
    const sources = new Set(table.values())
    for (const source of sources) source.start()
    const waiting = [...sources].filter(({ instances }) => instances === null).map(({ answered }) => answered)
    if (waiting.length === 0) return
    const { promise: late, resolve } = Promise.withResolvers<void>()
    const cancel = this.options.clock.after(Math.min(patience, LONGEST_DELAY), resolve)
    this.waits.add(resolve)
    await Promise.race([Promise.all(waiting), late])
    this.waits.delete(resolve)
    cancel()
  }

  private adopt(services: Services, table: Table): void {
    const before = this.sources
    this.latest = this.foundBy(services, table)
    this.services = services
    this.sources = table
    stopOnlyIn(before, table)
  }

  private foundBy(services: Services, table: Table): Discovered {
    return Object.fromEntries(
      Array.from(table, ([name, { instances }]) => {
        const scheme = services[name]?.discover?.scheme ?? 'http'
        return [name, instances === null ? (this.latest[name] ?? NONE) : this.make(instances, scheme)]
      }),
    )
  }

  private make(found: readonly Found[], scheme: 'http' | 'https'): readonly InstanceOptions[] {
    const made = this.made.get(found) ?? new Map<string, readonly InstanceOptions[]>()
    this.made.set(found, made)
    const known = made.get(scheme)
    if (known !== undefined) return known
    const instances = found.map(({ host, port, weight, zone }) => ({ url: { scheme, host, port }, weight, zone }))
    made.set(scheme, instances)
    return instances
  }
}

/** What is asked for, whatever is made of the answer. */
function askedBy(discover: DiscoverOptions | undefined): string {
  return JSON.stringify({ ...discover, scheme: undefined })
}

function stopOnlyIn(one: Table, other: Table): void {
  const kept = new Set(other.values())
  for (const source of one.values()) if (!kept.has(source)) source.stop()
}
