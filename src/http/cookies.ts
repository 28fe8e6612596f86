import type { Headers } from './headers.ts'

/** The values of all cookies of that name, in the order received (RFC 6265 section 5.4). */
export function cookieValues(headers: Headers, name: string): string[] {
  return cookiesOf(headers).flatMap((cookie) => (cookieName(cookie) === name ? [cookie.slice(name.length + 1)] : []))
}

/** Removes all cookies of that name. */
export function dropCookie(headers: Headers, name: string): void {
  const cookies = cookiesOf(headers)
  const remaining = cookies.filter((cookie) => cookieName(cookie) !== name)
  if (remaining.length === cookies.length) return
  if (remaining.length === 0) headers.delete('Cookie')
  else headers.set('Cookie', remaining.join('; '))
}

function cookiesOf(headers: Headers): string[] {
  const values = headers.getAll('Cookie')
  return values.flatMap((value) => value.split(';')).map((cookie) => cookie.trim())
}

function cookieName(cookie: string): string {
  return cookie.slice(0, Math.max(0, cookie.indexOf('=')))
}
