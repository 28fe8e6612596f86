import type { PolicyToolbox } from '../../core/component.ts'
import { defineTopic } from '../../core/threads.ts'
import { groupKey } from './invalidation.ts'
import { invalidatorsOf } from './policy.ts'

/** What to purge: one URL, all URLs that begin so, or a cache group of a host (RFC 9875). */
export type Purge =
  | { readonly url: string }
  | { readonly prefix: string }
  | { readonly host: string; readonly group: string }

/** Has every thread purge; each answers how many replies it were there. What is no URL fails in each of them. */
export const purgeTopic = defineTopic<Purge, number>('cache-purge')

/**
 * Forgets stored replies in this thread, and resolves with how many it were. URLs are written "http://host/path?query";
 * the scheme makes no difference. Throws a TypeError for what is no URL.
 */
export async function purge(toolbox: PolicyToolbox, what: Purge): Promise<number> {
  const invalidation =
    'group' in what
      ? ({ kind: 'group', of: groupKey(what.host, what.group) } as const)
      : 'url' in what
        ? ({ kind: 'url', of: targetOf(what.url) } as const)
        : ({ kind: 'prefix', of: targetOf(what.prefix) } as const)
  const counts = await Promise.all(invalidatorsOf(toolbox).map(async (each) => each.forget(invalidation)))
  return counts.reduce((sum, count) => sum + count, 0)
}

/** Host, path and query, as keys begin with them. */
function targetOf(url: string): string {
  const { host, pathname, search } = new URL(url)
  return host + pathname + search
}
