/** Over https: a browser takes a cookie of that name from nowhere else, and for this very host (RFC 6265bis section 4.1.3.2). */
const SECURE = '__Host-sallyport'
/** Over plain http, where a browser takes none that begins so. */
const PLAIN = 'sallyport'

/** The secret name of the session that the field Cookie holds; "" for none. */
export function sessionIn(cookies: string | undefined, isSecure: boolean): string {
  const start = `${nameOf(isSecure)}=`
  const pair = (cookies ?? '').split(';').find((each) => each.trimStart().startsWith(start))
  return pair === undefined ? '' : pair.trim().slice(start.length)
}

/** Set-Cookie for a session; it ends with the browser, if not before. */
export function sessionCookie(session: string, isSecure: boolean): string {
  return `${nameOf(isSecure)}=${session}; Path=/; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`
}

/** Set-Cookie that has a browser forget the session. */
export function noSession(isSecure: boolean): string {
  return `${sessionCookie('', isSecure)}; Max-Age=0`
}

function nameOf(isSecure: boolean): string {
  return isSecure ? SECURE : PLAIN
}
