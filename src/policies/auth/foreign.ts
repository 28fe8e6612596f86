import type { Exchange } from '../../http/exchange.ts'

/** Where a page of another site can only read, a cookie that the browser adds by itself does no harm (RFC 9110 section 9.2.1). */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

/** What browsers say of requests of pages that may act for the user (Fetch Metadata, "Sec-Fetch-Site"). */
const OWN_SITE = new Set(['same-origin', 'same-site', 'none'])

/**
 * Whether a browser sends the request for a page that must not use the user's cookies: what it may do is more than read,
 * and the page is of another site. Pages of origins that `trusts` takes may, and those that the cors policy of the route
 * lets send credentials.
 *
 * 1. A WebSocket, which no browser keeps from any page (RFC 6455 section 10.2), is for pages of the same origin.
 * 2. Else the browser says itself whose page it is.
 * 3. One that does not, as over plain http, says the origin of the page: it has to be the gateway's own. "null" is nobody's.
 * 4. Neither is said: no browser, and nobody's page.
 */
export function isForeign(exchange: Exchange, trusts: (origin: string) => boolean): boolean {
  const { method, headers, upgrade, sharesCredentials } = exchange
  if (upgrade === null && SAFE.has(method)) return false
  const origin = headers.get('Origin')
  if (origin !== undefined && (trusts(origin) || sharesCredentials?.(origin) === true)) return false
  const site = headers.get('Sec-Fetch-Site')
  // 1.
  if (upgrade !== null)
    return origin === undefined ? site !== undefined && site !== 'same-origin' : !isOwn(origin, exchange)
  // 2.
  if (site !== undefined) return !OWN_SITE.has(site)
  // 3. and 4.
  return origin !== undefined && !isOwn(origin, exchange)
}

/** Whether the origin is where the client thinks that it asks. */
function isOwn(origin: string, { host, client }: Exchange): boolean {
  const url = URL.parse(origin)
  if (url === null) return false
  // Whoever sits on the way can pretend to be a page of plain http; that it is https may be known to a proxy only.
  if (client.scheme === 'https' && url.protocol !== 'https:') return false
  return withoutDefaultPort(url.host) === withoutDefaultPort((client.host ?? host).toLowerCase())
}

/** The port that a scheme implies is said by some and left out by others. */
function withoutDefaultPort(host: string): string {
  return host.replace(/:(?:80|443)$/, '')
}
