import { BoundedMap } from '../../core/bounded-map.ts'
import type { Clock } from '../../core/clock.ts'
import type { Invalidation } from './invalidation-topic.ts'
import type { CacheStore } from './store.ts'

/** At least so many invalidations are remembered. */
const REMEMBERED = 5_000

/** What forgets. */
type Invalidated = Pick<CacheStore, 'invalidate' | 'invalidateGroup' | 'invalidatePrefix'>

/**
 * Makes stored replies invalid, in this thread at once, and tells the others where they have stores of their own. It
 * remembers for which, so that a reply that was on its way meanwhile is not stored after all.
 */
export class Invalidator {
  private readonly store: Invalidated
  private readonly clock: Clock
  private readonly tell: (what: Invalidation) => void
  private readonly recent = new BoundedMap<string, number>(REMEMBERED)
  private readonly recentPrefixes = new BoundedMap<string, number>(REMEMBERED)

  /** `tell` is called with what the other threads have to forget as well. */
  constructor(store: Invalidated, clock: Clock, tell: (what: Invalidation) => void) {
    this.store = store
    this.clock = clock
    this.tell = tell
  }

  /** Forgets what is stored, here and in the other threads; how many replies it were in this one. */
  invalidate(what: Invalidation): number | Promise<number> {
    this.tell(what)
    return this.forget(what)
  }

  /** Forgets what is stored in this thread; how many replies it were. */
  forget({ kind, of }: Invalidation): number | Promise<number> {
    const known = kind === 'prefix' ? this.recentPrefixes : this.recent
    known.set(kind === 'prefix' ? of : `${kind} ${of}`, this.clock.now())
    if (kind === 'url') return this.store.invalidate(of)
    return kind === 'group' ? this.store.invalidateGroup(of) : this.store.invalidatePrefix(of)
  }

  /** Whether replies with that URL or in one of those groups became invalid at that time or later. */
  since(time: number, url: string, groups: readonly string[]): boolean {
    const isLater = (at: number | undefined): boolean => at !== undefined && at >= time
    if (isLater(this.recent.get(`url ${url}`))) return true
    if (groups.some((group) => isLater(this.recent.get(`group ${group}`)))) return true
    return [...this.recentPrefixes].some(([prefix, at]) => isLater(at) && url.startsWith(prefix))
  }
}
