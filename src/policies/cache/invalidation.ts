import type { Exchange } from '../../http/exchange.ts'
import { sentPath } from '../../http/path-forms.ts'
import type { Headers } from '../../http/headers.ts'
import type { Reply } from '../../http/reply.ts'
import type { Invalidator } from './invalidator.ts'
import type { Keys } from './key.ts'
import { parseStrings } from '../structured-fields.ts'

/** Headers that name other resources affected by a change (RFC 9111 section 4.4). */
const LOCATIONS = ['Location', 'Content-Location']

/**
 * Removes entries that a successful reply to an unsafe method may have made outdated (RFC 9111 section 4.4, RFC 9875 section 3).
 * Resolves when that is done; null if it is already.
 */
export function invalidateAfter(
  exchange: Exchange,
  reply: Reply,
  keys: Keys,
  invalidator: Invalidator,
): Promise<unknown> | null {
  const { grpc } = exchange
  if (reply.status < 200 || reply.status > 399) return null
  // The HTTP status of a gRPC call does not say whether the call failed.
  if (grpc !== null && grpc.status !== null && grpc.status !== 0) return null
  const urls = new Set([keys.url(exchange)])
  for (const name of LOCATIONS) {
    const location = reply.headers.get(name)
    const url = location === undefined ? null : urlOf(location, exchange, keys)
    if (url !== null) urls.add(url)
  }
  const groups = groupsOf(exchange.host, reply.headers, 'Cache-Group-Invalidation')
  const waiting = [
    ...[...urls].map((of) => invalidator.forget({ kind: 'url', of })),
    ...groups.map((of) => invalidator.forget({ kind: 'group', of })),
  ].filter((count) => count instanceof Promise)
  return waiting.length === 0 ? null : Promise.all(waiting)
}

/** The cache groups listed in a header, each prefixed by the host: groups of different hosts are different (RFC 9875 section 2.1). */
export function groupsOf(host: string, headers: Headers, name: string): readonly string[] {
  const value = headers.combined(name)
  const names = value === undefined ? null : parseStrings(value)
  return names === null ? [] : names.map((group) => groupKey(host, group))
}

/** The name of a host's group in the store. */
export function groupKey(host: string, group: string): string {
  return `${host.toLowerCase()} ${group}`
}

/** Whether a Location or Content-Location refers to the target of the request itself. */
export function isSelf(location: string | undefined, exchange: Exchange, keys: Keys): boolean {
  return location !== undefined && urlOf(location, exchange, keys) === keys.url(exchange)
}

/** The URL in the form used by the store, or null if it belongs to another host. */
function urlOf(location: string, exchange: Exchange, keys: Keys): string | null {
  const url = URL.parse(location, `${exchange.client.scheme}://${exchange.host}${sentPath(exchange)}${exchange.query}`)
  if (url === null || url.host !== hostOf(exchange)) return null
  return keys.url({ host: exchange.host, path: url.pathname, forms: null, query: url.search })
}

/** The host as in a URL: without the scheme's default port. */
function hostOf({ host, client }: Exchange): string | undefined {
  return URL.parse(`${client.scheme}://${host}`)?.host
}
