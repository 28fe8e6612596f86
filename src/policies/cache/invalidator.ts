import type { CacheStore } from './store.ts'

/** What is invalidated: the replies of one URL, of all URLs with a prefix, or of a group; each prefixed by the host. */
export interface Invalidation {
  readonly kind: 'url' | 'prefix' | 'group'
  readonly of: string
}

/** Invalidates replies in some stores. */
export class Invalidator {
  private readonly stores: () => readonly CacheStore[]

  /** `stores` returns the stores that exist at the time of an invalidation. */
  constructor(stores: () => readonly CacheStore[]) {
    this.stores = stores
  }

  /** Removes stored replies, for all users of these stores. Returns how many replies were removed. */
  forget({ kind, of }: Invalidation): number | Promise<number> {
    const counts = this.stores().map((store) => {
      if (kind === 'url') return store.invalidate(of)
      return kind === 'group' ? store.invalidateGroup(of) : store.invalidatePrefix(of)
    })
    return sum(counts)
  }
}

function sum(counts: readonly (number | Promise<number>)[]): number | Promise<number> {
  const known = counts.filter((count) => typeof count === 'number').reduce((all, count) => all + count, 0)
  const late = counts.filter((count) => count instanceof Promise)
  return late.length === 0 ? known : Promise.all(late).then((all) => all.reduce((so, count) => so + count, known))
}
