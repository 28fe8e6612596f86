import { defineTopic } from '../../core/threads.ts'

/** What is forgotten: the replies of one URL, of all that begin so, or of a group; each with the host before it. */
export interface Invalidation {
  readonly kind: 'url' | 'prefix' | 'group'
  readonly of: string
}

/** What one thread has made invalid. */
export interface Invalidated {
  /** Names the caches that have forgotten it already: those of one thread. */
  readonly by: string
  readonly what: readonly Invalidation[]
}

/** A thread whose cache is its own tells the others what to forget. */
export const invalidatedTopic = defineTopic<Invalidated, null>('cache-invalidated')
