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
  for (const name of ['Cache-Control', ...targetedFields(headers)])
    if (!isPrivate(headers.combined(name) ?? '')) headers.append(name, 'private')
}

/** Whether the whole reply is private, not just some of its fields (RFC 9111 section 5.2.2.7). */
function isPrivate(directives: string): boolean {
  return /(?:^|,)[ \t]*private[ \t]*(?:,|$)/i.test(directives.replaceAll(/"(?:[^"\\]|\\.)*"?/g, '""'))
}
