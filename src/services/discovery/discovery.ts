import type { InstanceOptions } from '../service-options.ts'
import type { Metrics } from '../../core/metrics.ts'
import type { Prepared } from '../../core/prepared.ts'
import type { Toolbox } from '../../core/toolbox.ts'
import type { DiscoveryKindName, DiscoveredInstance } from './discoverer.ts'
import type { DiscoverOptions } from './index.ts'
import { Source } from './source.ts'
import { discoverFor } from './ways.ts'

/** The part of a service's configuration that lists its instances, or says how they are discovered. */
export interface Discovering {
  readonly instances: readonly InstanceOptions[]
  readonly discover?: DiscoverOptions | undefined
}

type Services = Readonly<Record<string, Discovering>>

/** The discovered instances by service name; empty if nothing has been found yet. */
export type Discovered = Readonly<Record<string, readonly InstanceOptions[]>>

/** Discovery status of a service. */
export interface DiscoveryReport {
  /** The kind of discovery. */
  readonly kind: DiscoveryKindName
  /** What is looked up. */
  readonly subject: string
  readonly instances: number
  /** Time of the last successful discovery, in milliseconds since 1970-01-01T00:00:00Z; null before the first one. */
  readonly lastSuccess: number | null
  /** Why discovery currently fails; null while it works. */
  readonly problem: string | null
}

/** Discovery for a configuration that is about to replace the current one. */
export interface PreparedDiscovery extends Prepared {
  /** What has been found so far; a lookup shared with the current configuration keeps its result until the next answer. */
  readonly found: () => Discovered
}

export interface DiscoveryOptions extends Toolbox {
  readonly metrics: Metrics
  /** Called when the discovered instances change. */
  readonly changed: () => void
}

const NONE: readonly InstanceOptions[] = []

/** Sources by service name. */
type Table = ReadonlyMap<string, Source>

/** Discovers the instances of all services that do not list them: one per process, in the main thread. */
export class Discovery {
  private readonly options: DiscoveryOptions
  private services: Services = {}
  private sources: Table = new Map()
  private latest: Discovered = {}
  /** Cache of instances derived from results, so that unchanged results yield the same object. */
  private readonly made = new WeakMap<readonly DiscoveredInstance[], Map<string, readonly InstanceOptions[]>>()
  private running = false
  /** Functions that end pending waits for first answers. */
  private readonly waits = new Set<() => void>()

  constructor(options: DiscoveryOptions) {
    this.options = options
    const labeled = (value: (source: Source) => number) => () =>
      Array.from(this.sources, ([service, source]) => ({ labels: { service }, value: value(source) }))
    options.metrics.watchAll(
      'sallyport_discovery_instances',
      labeled(({ instances }) => instances?.length ?? 0),
    )
    options.metrics.watchAll(
      'sallyport_discovery_last_success_timestamp_seconds',
      labeled(({ lastSuccess }) => (lastSuccess ?? 0) / 1000),
    )
  }

  /** Starts discovery; resolves when every source has answered once, or after that many milliseconds. */
  async start(timeout: number): Promise<void> {
    this.running = true
    await this.answers(this.sources, timeout)
  }

  /** Stops all lookups and waits. */
  stop(): void {
    this.running = false
    for (const end of this.waits) end()
    for (const source of this.sources.values()) source.stop()
  }

  /** Switches to these services immediately. */
  update(services: Services): void {
    this.adopt(services, this.tableOf(services))
  }

  /**
   * Starts the additional lookups that a new configuration needs; resolves when each has been answered once, or after that many
   * milliseconds.
   */
  async prepare(services: Services, timeout: number): Promise<PreparedDiscovery> {
    const table = this.tableOf(services)
    if (this.running) await this.answers(table, timeout)
    return {
      found: () => this.foundBy(services, table),
      commit: () => this.adopt(services, table),
      abandon: () => stopOnlyIn(table, this.sources),
    }
  }

  /** The current results; returns the same object for a service while nothing changes. */
  found(): Discovered {
    this.latest = this.foundBy(this.services, this.sources)
    return this.latest
  }

  /** Discovery status of one service; null if it lists its instances. */
  report(service: string): DiscoveryReport | null {
    const source = this.sources.get(service)
    if (source === undefined) return null
    const { kind, subject, instances, lastSuccess, problem } = source
    return { kind, subject, instances: instances?.length ?? 0, lastSuccess, problem }
  }

  /** Reuses existing sources for identical lookups. */
  private tableOf(services: Services): Table {
    const known = new Map<string, Source>()
    for (const [name, source] of this.sources) known.set(sourceKey(this.services[name]?.discover), source)
    const table = new Map<string, Source>()
    for (const [name, { discover }] of Object.entries(services)) {
      if (discover === undefined) continue
      const key = sourceKey(discover)
      const source = known.get(key) ?? new Source({ ...this.options, ...discoverFor(discover, this.options) })
      known.set(key, source)
      table.set(name, source)
    }
    return table
  }

  private async answers(table: Table, timeout: number): Promise<void> {
    const sources = new Set(table.values())
    for (const source of sources) source.start()
    const waiting = [...sources].filter(({ instances }) => instances === null).map(({ answered }) => answered)
    if (waiting.length === 0) return
    const { promise: late, resolve } = Promise.withResolvers<void>()
    const cancel = this.options.clock.after(timeout, resolve)
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

  /** Before the first answer, a service keeps the instances that it has, whether it found or listed them. */
  private foundBy(services: Services, table: Table): Discovered {
    return Object.fromEntries(
      Array.from(table, ([name, { instances }]) => {
        const scheme = services[name]?.discover?.scheme ?? 'http'
        return [
          name,
          instances === null
            ? (this.latest[name] ?? this.services[name]?.instances ?? NONE)
            : this.make(instances, scheme),
        ]
      }),
    )
  }

  private make(found: readonly DiscoveredInstance[], scheme: 'http' | 'https'): readonly InstanceOptions[] {
    const made = this.made.get(found) ?? new Map<string, readonly InstanceOptions[]>()
    this.made.set(found, made)
    const known = made.get(scheme)
    if (known !== undefined) return known
    const instances = found.map(({ host, port, weight, zone }) => ({ url: { scheme, host, port }, weight, zone }))
    made.set(scheme, instances)
    return instances
  }
}

/** Identifies the lookup, regardless of what is made of its answer. */
function sourceKey(discover: DiscoverOptions | undefined): string {
  return JSON.stringify({ ...discover, scheme: undefined })
}

function stopOnlyIn(one: Table, other: Table): void {
  const remaining = new Set(other.values())
  for (const source of one.values()) if (!remaining.has(source)) source.stop()
}
