import type { Exchange } from '../../http/exchange.ts'

/**
 * Methods with which a page of another site can only read, so a cookie that the browser adds automatically does no harm (RFC 9110
 * section 9.2.1).
 */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Values of "Sec-Fetch-Site" (Fetch Metadata) for requests from pages that may act for the user. */
const OWN_SITE = new Set(['same-origin', 'same-site', 'none'])

/**
 * Whether a browser sends the request for a page that must not use the user's cookies: the method may do more than read, and the
 * page belongs to another site. Pages of origins for which `trusts` returns true are allowed, and those that the cors policy of the
 * route allows to send credentials.
 *
 * 1. A WebSocket, which browsers let any page open (RFC 6455 section 10.2), is only for pages of the same origin.
 * 2. Otherwise the browser states in Sec-Fetch-Site where the page comes from.
 * 3. If it does not, as over plain http, the page's Origin has to be that of the gateway. "null" matches no origin.
 * 4. If neither is sent, the client is not a browser, and no page is involved.
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

/** Whether the origin is the one at which the client addressed the gateway. */
function isOwn(origin: string, { host, client }: Exchange): boolean {
  const url = URL.parse(origin)
  if (url === null) return false
  // An attacker on the network can impersonate a plain http page. The scheme is only compared this way round, as the use of https
  // may be known to a proxy only.
  if (client.scheme === 'https' && url.protocol !== 'https:') return false
  return withoutDefaultPort(url.host) === withoutDefaultPort((client.host ?? host).toLowerCase())
}

/** Removes a default port, which some clients include and others leave out. */
function withoutDefaultPort(host: string): string {
  return host.replace(/:(?:80|443)$/, '')
}
