import type { Reply } from '../../http/reply.ts'
import { targetedFields } from '../../http/targeted-fields.ts'

/**
 * Sets a cookie, `NAME=VALUE`, that brings the client back to the same place, valid for that many seconds or for the session. Marks the
 * reply as private, as other clients that got it from a shared cache would be sent to the same place.
 */
export function giveCookie({ headers }: Reply, cookie: string, seconds: number, scheme: 'http' | 'https'): void {
  const age = seconds === Number.POSITIVE_INFINITY ? '' : `; Max-Age=${seconds}`
  const secure = scheme === 'https' ? '; Secure' : ''
  headers.append('Set-Cookie', `${cookie}; Path=/; HttpOnly; SameSite=Lax${age}${secure}`)
  headers.append('Cache-Control', 'private')
  for (const name of targetedFields(headers)) headers.append(name, 'private')
}
