import { type Holder, Shared } from '../../core/shared.ts'
import type { PolicyToolbox } from '../policy.ts'
import type { CacheStoreName } from './cache-stores.ts'
import { countEvictions, watchStores } from './cache-counts.ts'
import { Flights } from './coalescing.ts'
import { Invalidator } from './invalidator.ts'
import type { Keys } from './key.ts'
import { OtherThreads } from './other-threads.ts'
import { purge, purgeTopic } from './purge.ts'
import { Partition } from './partition.ts'
import { SeenReplies } from './seen-replies.ts'
import type { CacheStore } from './store.ts'

/** What one configuration has of a place. */
interface Plan {
  /** By the ids of the routes. */
  readonly partitions: Map<string, Partition>
  /** One for each way in which routes read queries: the same URL has another form in each. */
  readonly keys: Map<string, Keys>
}

/** The places of a thread: its memory, and each Redis. */
const places = new Shared<CachePlace>()
/** What stands in them, by how much memory it may take: routes that say the same share one. */
const partitions = new Shared<Partition>()

/**
 * A place where one thread keeps replies, whatever the configuration: what is stored there stays while routes, and what
 * they give to the cache, change.
 */
export class CachePlace {
  readonly flights: Flights
  readonly invalidator: Invalidator
  private readonly all = new Set<Partition>()
  private readonly plans = new Map<Holder, Plan>()
  /** That of the configuration that answers. */
  private current: Plan | null = null
  private readonly key: string
  private readonly makeStore: (limit: number) => CacheStore
  private readonly ends: readonly (() => void)[]

  /** The place with that name, as the configuration has it. */
  static of(toolbox: PolicyToolbox, name: CacheStoreName): CachePlace {
    const key = toolbox.caches.isShared(name) ? toolbox.storesKey : name
    return places.get(toolbox.holder, key, () => new CachePlace(toolbox, name, key))
  }

  private constructor(toolbox: PolicyToolbox, name: CacheStoreName, key: string) {
    const { clock, caches, metrics, answer, threads, dry = false, holder } = toolbox
    this.key = key
    const evictions = countEvictions(metrics, name)
    const isShared = caches.isShared(name)
    const seen = dry ? places.seen(holder, key) : null
    this.makeStore = dry
      ? () => new SeenReplies(() => (seen === null ? [] : seen.stores))
      : (limit) => caches.make(name, limit, evictions)
    const concerned = (): CacheStore[] => (isShared ? this.stores.slice(0, 1) : this.stores)
    const everywhere = {
      invalidate: (url: string) => sum(concerned().map((store) => store.invalidate(url))),
      invalidateGroup: (group: string) => sum(concerned().map((store) => store.invalidateGroup(group))),
      invalidatePrefix: (prefix: string) => sum(concerned().map((store) => store.invalidatePrefix(prefix))),
    }
    const alone = isShared || caches.threads === 1
    const others = alone
      ? null
      : new OtherThreads({ threads, answer }, (what) => {
          for (const each of what) void this.invalidator.forget(each)
        })
    this.invalidator = new Invalidator(everywhere, clock, (what) => others?.tell(what))
    this.flights = new Flights(clock)
    this.ends = [
      watchStores(metrics, name, () => this.stores),
      answer(purgeTopic, (what) => purge(this, what)),
      () => others?.close(),
    ]
  }

  /** The partition of a route that gives its replies so much memory; `keys` are what it finds them by, and `query` how it reads queries. */
  partitionFor(holder: Holder, route: string, limit: number, query: string, keys: Keys): Partition {
    const make = (): Partition => {
      const partition = new Partition(
        limit,
        () => this.makeStore(limit),
        (gone) => this.all.delete(gone),
      )
      this.all.add(partition)
      return partition
    }
    const partition = partitions.get(holder, `${this.key} ${limit}`, make)
    const plan = this.planOf(holder)
    plan.partitions.set(route, partition)
    plan.keys.set(query, keys)
    return partition
  }

  /** Those of all configurations that still answer. */
  get keys(): ReadonlyMap<string, Keys> {
    return new Map(Array.from(this.plans.values(), ({ keys }) => Array.from(keys)).flat())
  }

  /** Nothing is stored here any more. */
  close(): void {
    for (const end of this.ends) end()
  }

  private get stores(): CacheStore[] {
    return [...new Set(Array.from(this.all, ({ store }) => store))]
  }

  private planOf(holder: Holder): Plan {
    const known = this.plans.get(holder)
    if (known !== undefined) return known
    const plan: Plan = { partitions: new Map(), keys: new Map() }
    this.plans.set(holder, plan)
    holder.atTakeOver(() => this.follow(plan))
    holder.hold(() => {
      this.plans.delete(holder)
      if (this.current === plan) this.current = null
    })
    return plan
  }

  /**
   * A configuration takes over: replies stay with their routes, wherever nothing but their memory has changed.
   *
   * 1. A partition that some route has as before keeps its store.
   * 2. Any other takes the store of its first route whose store is still to be had, else its own, else an empty one.
   */
  private follow(plan: Plan): void {
    const before = this.current?.partitions ?? new Map<string, Partition>()
    const stores = new Map([...before].map(([route, partition]) => [route, partition.store]))
    this.current = plan
    const grouped = Map.groupBy(plan.partitions, ([, partition]) => partition)
    const routes = new Map(Array.from(grouped, ([partition, all]) => [partition, all.map(([route]) => route)]))
    const taken = new Set<CacheStore>()
    // 1.
    for (const [partition, ids] of routes) {
      if (!ids.some((route) => before.get(route) === partition)) continue
      taken.add(partition.store)
      routes.delete(partition)
    }
    // 2.
    for (const [partition, ids] of routes) {
      const left = ids.map((route) => stores.get(route)).find((store) => store !== undefined && !taken.has(store))
      if (left !== undefined) partition.take(left)
      else if (taken.has(partition.store)) partition.renew()
      taken.add(partition.store)
    }
  }
}

function sum(counts: readonly (number | Promise<number>)[]): number | Promise<number> {
  const known = counts.filter((count) => typeof count === 'number').reduce((all, count) => all + count, 0)
  const late = counts.filter((count) => count instanceof Promise)
  return late.length === 0 ? known : Promise.all(late).then((all) => all.reduce((so, count) => so + count, known))
}
