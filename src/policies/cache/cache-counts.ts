import type { CacheStore, CacheUsage } from './store.ts'
import type { Counter, Metrics } from '../../core/metrics.ts'
import type { ForwardReason } from './cache-status.ts'

/** A counter that adds to two counters. */
class Twice implements Counter {
  private readonly one: Counter
  private readonly other: Counter

  constructor(one: Counter, other: Counter) {
    this.one = one
    this.other = other
  }

  add(amount: number): void {
    this.one.add(amount)
    this.other.add(amount)
  }
}

/** Counts what the cache of a route does with requests. */
export class CacheCounts {
  readonly hit: Counter
  readonly stale: Counter
  readonly revalidated: Counter
  readonly coalesced: Counter
  readonly miss: Counter
  private readonly bypass: Counter

  constructor(metrics: Metrics, route: string) {
    const outcome = (name: string): Counter =>
      new Twice(
        metrics.counter('sallyport_cache_requests_total', { outcome: name }),
        metrics.counter('sallyport_route_cache_requests_total', { route, outcome: name }),
      )
    this.hit = outcome('hit')
    this.stale = outcome('stale')
    this.revalidated = outcome('revalidated')
    this.coalesced = outcome('coalesced')
    this.miss = outcome('miss')
    this.bypass = outcome('bypass')
  }

  /** The request was forwarded to the service: either nothing suitable was stored, or the cache was not to be used for it. */
  forwarded(reason: ForwardReason): void {
    if (reason === 'bypass' || reason === 'method') this.bypass.add(1)
    else this.miss.add(1)
  }
}

/** Counts entries that are evicted from a store. */
export function countEvictions(metrics: Metrics, store: string): Counter {
  return metrics.counter('sallyport_cache_evictions_total', { store })
}

/**
 * Reports the contents of stores in the memory of this thread at each scrape, until the returned function is called. Stores of the
 * same name are added up.
 */
export function watchStores(metrics: Metrics, name: string, stores: () => readonly CacheStore[]): () => void {
  const labels = { store: name }
  const total = (key: keyof CacheUsage) => () => {
    const usages = stores().flatMap((store) => store.usage() ?? [])
    return usages.length === 0 ? [] : [{ labels, value: usages.reduce((sum, usage) => sum + usage[key], 0) }]
  }
  const ends = [
    metrics.watchAll('sallyport_cache_bytes', total('bytes')),
    metrics.watchAll('sallyport_cache_entries', total('entries')),
  ]
  return () => {
    for (const end of ends) end()
  }
}
