import { BroadcastChannel } from 'node:worker_threads'
import { z } from 'zod'
import type { Clock } from '../../core/clock.ts'
import type { CacheStore } from './store.ts'

/** What is forgotten: the replies of one URL, of all that begin so, or of a group; each with the host before it. */
const invalidation = z.object({ kind: z.enum(['url', 'prefix', 'group']), of: z.string() })

export type Invalidation = z.output<typeof invalidation>

/** Invalidations that are remembered; more than that at once are forgotten. */
const REMEMBERED = 10_000

/**
 * Makes stored replies invalid in every thread of the process: in this one at once, in the others with a message where
 * they have stores of their own. It remembers for which, so that a reply that was on its way meanwhile is not stored
 * after all.
 */
export class Invalidator {
  private readonly store: CacheStore
  private readonly clock: Clock
  private channel: BroadcastChannel | null
  private readonly recent = new Map<string, number>()
  private readonly recentPrefixes = new Map<string, number>()

  /** `scope` is who shares the store: this thread alone, or all. */
  constructor(store: CacheStore, clock: Clock, scope: 'thread' | 'all' = 'thread') {
    this.store = store
    this.clock = clock
    this.channel = scope === 'thread' ? new BroadcastChannel('sallyport:cache') : null
    this.channel?.unref()
    this.channel?.addEventListener('message', (event) => {
      const { data } = invalidation.safeParse(event.data)
      if (data !== undefined) void this.forget(data)
    })
  }

  /** Forgets what is stored, here and in the other threads; how many replies it were in this one. */
  invalidate(what: Invalidation): number | Promise<number> {
    this.channel?.postMessage(what)
    return this.forget(what)
  }

  /** Forgets what is stored in this thread; how many replies it were. */
  forget({ kind, of }: Invalidation): number | Promise<number> {
    const known = kind === 'prefix' ? this.recentPrefixes : this.recent
    if (known.size >= REMEMBERED) known.clear()
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

  /** Hears no more of other threads. */
  close(): void {
    this.channel?.close()
    // A change whose reply comes later is nobody's news.
    this.channel = null
  }
}
