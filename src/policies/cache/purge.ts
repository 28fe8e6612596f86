import { defineTopic } from '../../core/threads.ts'
import { groupKey } from './invalidation.ts'
import type { Invalidation, Invalidator } from './invalidator.ts'
import type { Keys } from './key.ts'

/** What to purge: one URL, all URLs with a prefix, or a cache group of a host (RFC 9875). */
export type Purge =
  | { readonly url: string }
  | { readonly prefix: string }
  | { readonly host: string; readonly group: string }

/** Has every thread purge; each returns how many replies it removed. An invalid URL fails in every thread. */
export const purgeTopic = defineTopic<Purge, number>('cache-purge')

/** Tells every thread what an operator has purged, under a unique id: for policies that know of copies elsewhere. */
export const purgedTopic = defineTopic<{ readonly id: string; readonly purge: Purge }, null>('cache-purged')

/** The invalidator of a place, and the keys of the routes that use it. */
export interface Purgeable {
  readonly invalidator: Pick<Invalidator, 'forget'>
  readonly keys: ReadonlyMap<string, Keys>
}

/**
 * Removes replies from one store, and resolves with how many there were. URLs are written "http://host/path?query"; the scheme is
 * ignored. Throws a TypeError for an invalid URL.
 */
export async function purge({ invalidator, keys }: Purgeable, what: Purge): Promise<number> {
  const counts = await Promise.all(
    invalidationsOf(what, [...keys.values()]).map(async (each) => invalidator.forget(each)),
  )
  return counts.reduce((sum, count) => sum + count, 0)
}

function invalidationsOf(what: Purge, keys: readonly Keys[]): readonly Invalidation[] {
  if ('group' in what) return [{ kind: 'group', of: groupKey(what.host.toLowerCase(), what.group) }]
  const { host, pathname, search } = new URL('url' in what ? what.url : what.prefix)
  if ('prefix' in what) return [{ kind: 'prefix', of: host + pathname + search }]
  const urls = new Set(keys.map((each) => each.url({ host, path: pathname, forms: null, query: search })))
  return [...urls].map((of) => ({ kind: 'url', of }))
}
