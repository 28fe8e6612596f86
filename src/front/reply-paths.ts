import type { Exchange } from '../http/exchange.ts'
import type { Handler } from '../http/handler.ts'
import type { Reply } from '../http/reply.ts'

const LOCATIONS = ['Location', 'Content-Location']
const COOKIE_PATH = /(;\s*path=)(\/[^;]*)/i
const URL_PARTS = /^(https?:\/\/([^/?#]*))(.*)$/i

/**
 * Restores the prefix that was removed for the service in the paths of replies: in Location and Content-Location, if they point to the host
 * requested by the client or to the instance itself, and in cookie paths.
 */
export function mapReplies(next: Handler, back: (path: string) => string): Handler {
  const map = (reply: Reply, exchange: Exchange): Reply => {
    const { headers } = reply
    for (const name of LOCATIONS) {
      const value = headers.get(name)
      if (value === undefined) continue
      const mapped = mapLocation(value, exchange, back)
      if (mapped !== value) headers.set(name, mapped)
    }
    const cookies = headers.getAll('Set-Cookie')
    const mapped = cookies.map((cookie) =>
      cookie.replace(COOKIE_PATH, (_, begin: string, path: string) => begin + cookiePath(path, back)),
    )
    if (mapped.every((cookie, i) => cookie === cookies[i])) return reply
    headers.delete('Set-Cookie')
    for (const cookie of mapped) headers.append('Set-Cookie', cookie)
    return reply
  }
  return (exchange) => {
    const reply = next(exchange)
    return reply instanceof Promise ? reply.then((settled) => map(settled, exchange)) : map(reply, exchange)
  }
}

function mapLocation(location: string, { host, client, instance }: Exchange, back: (path: string) => string): string {
  if (location.startsWith('/') && !location.startsWith('//')) return mapPath(location, back)
  const [, origin = '', authority = '', rest = ''] = URL_PARTS.exec(location) ?? []
  if (origin === '') return location
  const mapped = mapPath(rest.startsWith('/') ? rest : `/${rest}`, back)
  // Addresses that only the gateway can reach are useless to the client.
  if (authority === instance) return mapped
  const requestHosts = [host, client.host ?? host].map((each) => each.toLowerCase())
  return requestHosts.includes(authority.toLowerCase()) ? origin + mapped : location
}

/** Maps the path, up to its query or fragment. */
function mapPath(location: string, back: (path: string) => string): string {
  const end = location.search(/[?#]/)
  return end === -1 ? back(location) : back(location.slice(0, end)) + location.slice(end)
}

/** If the path covers the whole prefix, drops the trailing slash, which would exclude the prefix itself. */
function cookiePath(path: string, back: (path: string) => string): string {
  const mapped = back(path.trim())
  return path === '/' && mapped.length > 1 && mapped.endsWith('/') ? mapped.slice(0, -1) : mapped
}
