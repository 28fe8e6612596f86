import { z } from 'zod'
import { definePolicy, type PolicyToolbox } from '../../core/component.ts'
import { durationOrZero, size } from '../../core/units.ts'
import { fieldName } from '../field-name.ts'
import { CacheCounts, watchStore } from './cache-counts.ts'
import { Flights } from './coalescing.ts'
import { Invalidator } from './invalidator.ts'
import { compileKeys, queryOptions } from './key.ts'
import { MemoryCacheStore } from './memory-store.ts'
import { RouteCache } from './route-cache.ts'
import { shares } from './storable.ts'
import type { CacheStore } from './store.ts'

/** What the routes with the same store share. */
interface Shared {
  readonly store: CacheStore
  readonly flights: Flights
  readonly invalidator: Invalidator
}

/** For each thread the stores, by their size: routes that say the same share one. */
const shared = new WeakMap<PolicyToolbox, Map<number, Shared>>()

const options = z.strictObject({
  ttl: durationOrZero
    .prefault('0s')
    .describe('How long replies are fresh of which the service says nothing. Default 0s: they are not stored.'),
  heuristic: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('For those: the part of the time since Last-Modified that they are fresh, a day at most. Default 0.'),
  staleWhileRevalidate: durationOrZero
    .prefault('0s')
    .describe('How long a stale reply is served while a new one is fetched, unless the service says. Default 0s.'),
  staleIfError: durationOrZero
    .prefault('0s')
    .describe('How long a stale reply is served when the service fails, unless the service says. Default 0s.'),
  share: z
    .enum(shares)
    .default('public')
    .describe(
      'Who gets the same copy. public: everybody, but replies to callers who show who they are only where the service ' +
        'allows it; everyone: these too; role: callers with the same roles; consumer: each caller alone. Default public.',
    ),
  query: queryOptions,
  setCookie: z
    .boolean()
    .default(false)
    .describe('Whether replies that set cookies are stored, and the cookies given to everybody. Default false.'),
  clientDirectives: z
    .boolean()
    .default(true)
    .describe('Whether Cache-Control of requests counts: no-cache, max-age, only-if-cached and so on. Default true.'),
  targets: fieldName
    .array()
    .default(['CDN-Cache-Control'])
    .describe('Fields that go before Cache-Control and Expires, the first one first. Default [CDN-Cache-Control].'),
  maxBody: size.prefault('1mb').describe('Bodies above that are passed through and not stored. Default 1mb.'),
  memory: size
    .prefault('64mb')
    .describe('Memory for stored replies in each worker thread; routes with the same figure share it. Default 64mb.'),
  wait: durationOrZero
    .prefault('5s')
    .describe('How long requests wait for the reply to one like them that is under way. Default 5s, 0s: not at all.'),
})

/** Stores replies and answers from them, as RFC 9111 has it for shared caches. */
export const cache = definePolicy({
  name: 'cache',
  summary: 'Stores replies of services and answers from them for as long as they are fresh, or may be used stale.',
  options,
  create(settings, toolbox, route) {
    // Where no route leads there is nothing to store.
    if (route.id === '') return (next) => next
    const keys = compileKeys(route.id, settings.share, settings.query)
    const { clock } = toolbox
    const inCommon = sharedOf(toolbox, settings.memory)
    const counts = new CacheCounts(toolbox.metrics)
    return (next) => {
      const routeCache = new RouteCache({ settings, keys, clock, next, counts, ...inCommon })
      return (exchange) => routeCache.handle(exchange)
    }
  },
})

/** What a thread forgets stored replies with, and has the other threads do so: one for each store. */
export function invalidatorsOf(toolbox: PolicyToolbox): readonly Invalidator[] {
  return [...(shared.get(toolbox)?.values() ?? [])].map(({ invalidator }) => invalidator)
}

function sharedOf(toolbox: PolicyToolbox, memory: number): Shared {
  const known = shared.get(toolbox) ?? new Map<number, Shared>()
  shared.set(toolbox, known)
  const made = known.get(memory) ?? makeShared(toolbox, memory)
  known.set(memory, made)
  return made
}

function makeShared({ clock, metrics }: PolicyToolbox, memory: number): Shared {
  const store = new MemoryCacheStore(memory, metrics.counter('sallyport_cache_evictions_total', { store: 'memory' }))
  watchStore(metrics, store)
  return { store, flights: new Flights(clock), invalidator: new Invalidator(store, clock) }
}
