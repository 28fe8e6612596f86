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

/** The store and pending requests shared by routes whose caches have the same amount of memory. */
export class PlacePart {
  readonly store: CacheStore
  readonly flights: Flights
  private readonly onUnused: () => void

  constructor(store: CacheStore, flights: Flights, onUnused: () => void) {
    this.store = store
    this.flights = flights
    this.onUnused = onUnused
  }

  /** Called when no configuration uses it any more. */
  close(): void {
    this.onUnused()
    this.store.close()
  }
}

/** The parts of a place that one configuration uses. */
interface Plan {
  /** By route id. */
  readonly parts: Map<string, PlacePart>
  /** One for each way in which routes normalize queries: the same URL has a different form in each. */
  readonly keys: Map<string, Keys>
}

/** The places of a thread: the memory of the process, and each Redis. */
const places = new Shared<CachePlace>()
/** The parts of the places, by amount of memory: routes with the same amount share one. */
const parts = new Shared<PlacePart>()

/** A place where one thread keeps replies across configurations: stored replies remain while routes and their cache settings change. */
export class CachePlace {
  readonly invalidator: Invalidator
  private readonly all = new Set<PlacePart>()
  private readonly plans = new Map<Holder, Plan>()
  /** The plan of the current configuration. */
  private current: Plan | null = null
  private readonly key: string
  private readonly makePart: (memory: number) => PlacePart
  private readonly ends: readonly (() => void)[]

  /** The place with that name in the configuration. */
  static of(toolbox: PolicyToolbox, name: CacheStoreName): CachePlace {
    const key = toolbox.caches.isShared(name) ? toolbox.storesKey : name
    return places.get(toolbox.holder, key, () => new CachePlace(toolbox, name, key))
  }

  private constructor(toolbox: PolicyToolbox, name: CacheStoreName, key: string) {
    const { clock, caches, metrics, answer, dry = false, holder } = toolbox
    this.key = key
    const evictions = countEvictions(metrics, name)
    const isShared = caches.isShared(name)
    const seen = dry ? places.peek(holder, key) : null
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

  /** The part for a route with that amount of memory; `keys` creates the route's keys, and `query` names how it normalizes queries. */
  partFor(holder: Holder, route: string, memory: number, query: string, keys: Keys): PlacePart {
    const part = parts.get(holder, `${this.key} ${memory}`, () => this.makePart(memory))
    const plan = this.planOf(holder)
    plan.parts.set(route, part)
    plan.keys.set(query, keys)
    return part
  }

  /** The keys of all configurations that are still in use. */
  get keys(): ReadonlyMap<string, Keys> {
    return new Map(Array.from(this.plans.values(), ({ keys }) => Array.from(keys)).flat())
  }

  /** Called when no configuration uses this place any more. */
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
    holder.onTakeOver(() => this.follow(plan))
    holder.onRelease(() => {
      this.plans.delete(holder)
      if (this.current === plan) this.current = null
    })
    return plan
  }

  /** Called when a configuration becomes current: stored replies of a route are moved if its amount of memory has changed. */
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
