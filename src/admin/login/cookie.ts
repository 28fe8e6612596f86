/** Over https: a browser takes a cookie of that name from nowhere else, and for this very host (RFC 6265bis section 4.1.3.2). */
const SECURE = '__Host-sallyport'
/** Over plain http, where a browser takes none that begins so. */
const PLAIN = 'sallyport'
/** Behind the name of the session's: what binds logins at a provider to the browser that has begun them. */
const LOGIN = '-login'

/** The secret name of the session that the field Cookie holds; "" for none. */
export function sessionIn(cookies: string | undefined, isSecure: boolean): string {
  return valueIn(cookies, nameOf(isSecure))
}

/** Set-Cookie for a session; it ends with the browser, if not before. */
export function sessionCookie(session: string, isSecure: boolean): string {
  return `${nameOf(isSecure)}=${session}; Path=/; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`
}

/** Set-Cookie that has a browser forget the session. */
export function noSession(isSecure: boolean): string {
  return `${sessionCookie('', isSecure)}; Max-Age=0`
}

/** What binds logins to the browser that has sent the field Cookie; "" for none. */
export function browserIn(cookies: string | undefined, isSecure: boolean): string {
  return valueIn(cookies, nameOf(isSecure) + LOGIN)
}

/**
 * Set-Cookie for what binds logins to a browser, for so many seconds. Lax, as the provider is another site from which the browser comes
 * back with it; it proves nothing but that, and lets nobody in.
 */
export function browserCookie(browser: string, isSecure: boolean, seconds: number): string {
  const secure = isSecure ? '; Secure' : ''
  return `${nameOf(isSecure)}${LOGIN}=${browser}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${seconds}${secure}`
}

function valueIn(cookies: string | undefined, name: string): string {
  const start = `${name}=`
  const pair = (cookies ?? '').split(';').find((each) => each.trimStart().startsWith(start))
  return pair === undefined ? '' : pair.trim().slice(start.length)
}

function nameOf(isSecure: boolean): string {
  return isSecure ? SECURE : PLAIN
}
