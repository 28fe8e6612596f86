import type { Exchange } from '../../http/exchange.ts'
import { sentPath } from '../../http/path-forms.ts'
import type { Headers } from '../../http/headers.ts'
import type { Reply } from '../../http/reply.ts'
import type { Invalidator } from './invalidator.ts'
import type { Keys } from './key.ts'
import { parseStrings } from '../structured-fields.ts'

/** Fields that name other resources that a change may be about (RFC 9111 section 4.4). */
const LOCATIONS = ['Location', 'Content-Location']

/**
 * Forgets what a successful reply to an unsafe method makes doubtful (RFC 9111 section 4.4, RFC 9875 section 3). Resolves
 * when that is done; null where it is already.
 */
export function invalidateAfter(
  exchange: Exchange,
  reply: Reply,
  keys: Keys,
  invalidator: Invalidator,
): Promise<unknown> | null {
  const { grpc } = exchange
  if (reply.status < 200 || reply.status > 399) return null
  // The HTTP status of a call says nothing of whether it has failed.
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

/** The cache groups that a field lists, each with the host before it: groups of other hosts are others (RFC 9875 section 2.1). */
export function groupsOf(host: string, headers: Headers, name: string): readonly string[] {
  const value = headers.combined(name)
  const names = value === undefined ? null : parseStrings(value)
  return names === null ? [] : names.map((group) => groupKey(host, group))
}

/** How a group of a host is called in the store. */
export function groupKey(host: string, group: string): string {
  return `${host.toLowerCase()} ${group}`
}

/** Whether a Location or Content-Location names what the request itself is about. */
export function isSelf(location: string | undefined, exchange: Exchange, keys: Keys): boolean {
  return location !== undefined && urlOf(location, exchange, keys) === keys.url(exchange)
}

/** The URL as the store knows it, or null if it is of another host. */
function urlOf(location: string, exchange: Exchange, keys: Keys): string | null {
  const url = URL.parse(location, `${exchange.client.scheme}://${exchange.host}${sentPath(exchange)}${exchange.query}`)
  if (url === null || url.host !== hostOf(exchange)) return null
  return keys.url({ host: exchange.host, path: url.pathname, forms: null, query: url.search })
}

/** As a URL has it: without the port that the scheme implies. */
function hostOf({ host, client }: Exchange): string | undefined {
  return URL.parse(`${client.scheme}://${host}`)?.host
}
