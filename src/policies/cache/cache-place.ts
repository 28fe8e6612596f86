import { type Holder, Shared } from '../../core/shared.ts'
import type { PolicyToolbox } from '../policy.ts'
import type { CacheStoreName } from './cache-stores.ts'
import { countEvictions, watchStores } from './cache-counts.ts'
import { Flights } from './coalescing.ts'
import { Invalidator } from './invalidator.ts'
import type { Keys } from './key.ts'
import { purge, purgeTopic } from './purge.ts'
import { SeenReplies } from './seen-replies.ts'
import type { CacheStore } from './store.ts'

/** Where the routes that give their replies the same memory find them, and what of that is being fetched. */
export class PlacePart {
  readonly store: CacheStore
  readonly flights: Flights
  private readonly gone: () => void

  constructor(store: CacheStore, flights: Flights, gone: () => void) {
    this.store = store
    this.flights = flights
    this.gone = gone
  }

  /** No configuration has it any more. */
  close(): void {
    this.gone()
    this.store.close()
  }
}

/** What one configuration has of a place. */
interface Plan {
  /** By the ids of the routes. */
  readonly parts: Map<string, PlacePart>
  /** One for each way in which routes read queries: the same URL has another form in each. */
  readonly keys: Map<string, Keys>
}

/** The places of a thread: the memory of the process, and each Redis. */
const places = new Shared<CachePlace>()
/** What stands in them, by how much memory it may take: routes that say the same share one. */
const parts = new Shared<PlacePart>()

/**
 * A place where one thread keeps replies, whatever the configuration: what is stored there stays while routes, and what
 * they give to the cache, change.
 */
export class CachePlace {
  readonly invalidator: Invalidator
  private readonly all = new Set<PlacePart>()
  private readonly plans = new Map<Holder, Plan>()
  /** That of the configuration that answers. */
  private current: Plan | null = null
  private readonly key: string
  private readonly makePart: (memory: number) => PlacePart
  private readonly ends: readonly (() => void)[]

  /** The place with that name, as the configuration has it. */
  static of(toolbox: PolicyToolbox, name: CacheStoreName): CachePlace {
    const key = toolbox.caches.isShared(name) ? toolbox.storesKey : name
    return places.get(toolbox.holder, key, () => new CachePlace(toolbox, name, key))
  }

  private constructor(toolbox: PolicyToolbox, name: CacheStoreName, key: string) {
    const { clock, caches, metrics, answer, dry = false, holder } = toolbox
    this.key = key
    const evictions = countEvictions(metrics, name)
    const isShared = caches.isShared(name)
    const seen = dry ? places.seen(holder, key) : null
    const makeStore = dry
      ? () => new SeenReplies(() => (seen === null ? [] : seen.stores))
      : (memory: number) => caches.make(name, memory, evictions)
    this.makePart = (memory) => {
      const store = makeStore(memory)
      const part: PlacePart = new PlacePart(store, new Flights(clock, store), () => this.all.delete(part))
      this.all.add(part)
      return part
    }
    this.invalidator = new Invalidator(() => (isShared ? this.stores.slice(0, 1) : this.stores))
    this.ends = [watchStores(metrics, name, () => this.stores), answer(purgeTopic, (what) => purge(this, what))]
  }

  /** The part of a route that gives its replies so much memory; `keys` are what it finds them by, and `query` how it reads queries. */
  partFor(holder: Holder, route: string, memory: number, query: string, keys: Keys): PlacePart {
    const part = parts.get(holder, `${this.key} ${memory}`, () => this.makePart(memory))
    const plan = this.planOf(holder)
    plan.parts.set(route, part)
    plan.keys.set(query, keys)
    return part
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
    return Array.from(this.all, ({ store }) => store)
  }

  private planOf(holder: Holder): Plan {
    const known = this.plans.get(holder)
    if (known !== undefined) return known
    const plan: Plan = { parts: new Map(), keys: new Map() }
    this.plans.set(holder, plan)
    holder.atTakeOver(() => this.follow(plan))
    holder.hold(() => {
      this.plans.delete(holder)
      if (this.current === plan) this.current = null
    })
    return plan
  }

  /** A configuration takes over: what is stored goes with its route where that gives it another memory. */
  private follow(plan: Plan): void {
    const before = this.current?.parts ?? new Map<string, PlacePart>()
    this.current = plan
    for (const { store } of new Set(plan.parts.values())) {
      const routes = Array.from(plan.parts.keys()).filter((route) => plan.parts.get(route)?.store === store)
      for (const [former, moved] of Map.groupBy(routes, (route) => before.get(route)?.store))
        if (former !== undefined && former !== store) store.adopt(former, new Set(moved))
    }
  }
}
