import { formatAddress } from '../../core/address.ts'
import type { Toolbox } from '../../core/toolbox.ts'
import type { Discoverer, DiscoveryKindName, DiscoveryListener, DiscoveredInstance } from './discoverer.ts'

/** Maximum number of instances taken from one answer: no answer may fill the health board. */
const MAX = 1000
/** Maximum number of addresses in one log line. */
const NAMED = 10

export interface SourceOptions extends Toolbox {
  /** The kind of discovery, and what is looked up. */
  readonly kind: DiscoveryKindName
  readonly subject: string
  readonly discover: (finder: DiscoveryListener) => Discoverer
  /** Called when the discovered instances change. */
  readonly changed: () => void
}

/** One lookup, shared by all services that configure it identically, and its latest result. */
export class Source implements DiscoveryListener {
  /** Ordered by address; null before the first answer. */
  instances: readonly DiscoveredInstance[] | null = null
  /** Time of the last successful lookup, in milliseconds since 1970-01-01T00:00:00Z; null before the first one. */
  lastSuccess: number | null = null
  /** Why the lookup currently fails; null while it succeeds, and before the first try. */
  problem: string | null = null
  /** Resolves with the first answer, or when the source is stopped. */
  readonly answered: Promise<void>
  private readonly options: SourceOptions
  private readonly discoverer: Discoverer
  private readonly answer: () => void
  private state: 'idle' | 'running' | 'stopped' = 'idle'

  constructor(options: SourceOptions) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.answered = promise
    this.answer = resolve
    this.options = options
    this.discoverer = options.discover(this)
  }

  get kind(): DiscoveryKindName {
    return this.options.kind
  }

  get subject(): string {
    return this.options.subject
  }

  start(): void {
    if (this.state !== 'idle') return
    this.state = 'running'
    this.discoverer.start()
  }

  stop(): void {
    this.state = 'stopped'
    this.discoverer.stop()
    this.answer()
  }

  found(all: readonly DiscoveredInstance[], problem: string | null): void {
    if (this.state === 'stopped') return
    const known = inOrder(all)
    const instances = known.slice(0, MAX)
    this.lastSuccess = this.options.clock.wall()
    const before = this.instances
    if (before === null || !areSame(before, instances)) this.take(instances, before)
    const excess = known.length > MAX ? `${known.length} instances, of which the first ${MAX} are used` : null
    const trouble = problem ?? excess
    if (trouble === null) this.recover()
    else this.trouble(trouble, 'Discovery is incomplete')
    this.answer()
  }

  failed(reason: string): void {
    if (this.state !== 'stopped') this.trouble(reason, 'Discovery failed; the last result is kept')
  }

  private take(instances: readonly DiscoveredInstance[], before: readonly DiscoveredInstance[] | null): void {
    this.instances = instances
    const [added, removed] = [without(instances, before ?? []), without(before ?? [], instances)]
    const fields = { ...this.fields, instances: instances.length, added: named(added), removed: named(removed) }
    if (instances.length === 0) this.options.log.warn(fields, 'No instance was discovered')
    else this.options.log.info(fields, 'Instances were discovered')
    this.options.changed()
  }

  /** Logs a problem once, however it evolves, and once when it is over. */
  private trouble(reason: string, words: string): void {
    const { instances, problem } = this
    this.problem = reason
    if (problem !== null) return
    const fields = { ...this.fields, reason, instances: instances?.length ?? 0 }
    this.options.log.warn(fields, words)
  }

  private recover(): void {
    if (this.problem === null) return
    this.problem = null
    this.options.log.info(this.fields, 'Discovery works again')
  }

  private get fields() {
    return { discovery: this.kind, subject: this.subject }
  }
}

/** Each address once, with the weights of duplicates added up. */
function inOrder(all: readonly DiscoveredInstance[]): readonly DiscoveredInstance[] {
  const byAddress = new Map<string, DiscoveredInstance>()
  for (const each of all) {
    const address = formatAddress(each)
    const known = byAddress.get(address)
    byAddress.set(address, known === undefined ? each : { ...each, weight: known.weight + each.weight })
  }
  const addresses = [...byAddress.keys()].toSorted()
  return addresses.flatMap((address) => byAddress.get(address) ?? [])
}

function areSame(one: readonly DiscoveredInstance[], other: readonly DiscoveredInstance[]): boolean {
  return (
    one.length === other.length &&
    one.every((each, i) => {
      const { host, port, weight, zone } = other[i] ?? each
      return each.host === host && each.port === port && each.weight === weight && each.zone === zone
    })
  )
}

function without(some: readonly DiscoveredInstance[], others: readonly DiscoveredInstance[]): string[] {
  const known = new Set(others.map((each) => formatAddress(each)))
  return some.map((each) => formatAddress(each)).filter((address) => !known.has(address))
}

function named(addresses: readonly string[]): string {
  if (addresses.length <= NAMED) return addresses.join(', ')
  return `${addresses.slice(0, NAMED).join(', ')} and ${addresses.length - NAMED} others`
}
