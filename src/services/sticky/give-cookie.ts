import type { Reply } from '../../http/reply.ts'
import { targetedFields } from '../../http/targeted-fields.ts'

/**
 * Sets a cookie, `NAME=VALUE`, by which its client comes back to where it was, for that many seconds, or for as long as it keeps cookies of a
 * session. Whoever else got the reply from a cache would come there as well: it is private from then on.
 */
export function giveCookie({ headers }: Reply, cookie: string, seconds: number, scheme: 'http' | 'https'): void {
  const age = seconds === Number.POSITIVE_INFINITY ? '' : `; Max-Age=${seconds}`
  const secure = scheme === 'https' ? '; Secure' : ''
  headers.append('Set-Cookie', `${cookie}; Path=/; HttpOnly; SameSite=Lax${age}${secure}`)
  headers.append('Cache-Control', 'private')
  for (const name of targetedFields(headers)) headers.append(name, 'private')
}
