import type { CacheStore } from './store.ts'

/** What is forgotten: the replies of one URL, of all that begin so, or of a group; each with the host before it. */
export interface Invalidation {
  readonly kind: 'url' | 'prefix' | 'group'
  readonly of: string
}

/** Makes replies in some stores invalid. */
export class Invalidator {
  private readonly stores: () => readonly CacheStore[]

  /** In those that are there whenever something becomes invalid. */
  constructor(stores: () => readonly CacheStore[]) {
    this.stores = stores
  }

  /** Forgets what is stored, for all who have these stores; how many replies it were. */
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
