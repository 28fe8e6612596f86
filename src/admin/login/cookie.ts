/** For https: browsers accept a cookie with this prefix only over https and only for this host (RFC 6265bis section 4.1.3.2). */
const SECURE = '__Host-sallyport_admin'
/** For plain http, where browsers reject that prefix. */
const PLAIN = 'sallyport_admin'
/** Suffix of the cookie that ties logins at a provider to the browser that started them. */
const LOGIN = '-login'

/** The session ID in a Cookie header; "" for none. */
export function sessionIn(cookies: string | undefined, isSecure: boolean): string {
  return valueIn(cookies, nameOf(isSecure))
}

/** The Set-Cookie value of a session; browsers drop it when they close. */
export function sessionCookie(session: string, isSecure: boolean): string {
  return `${nameOf(isSecure)}=${session}; Path=/; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`
}

/** The Set-Cookie value that deletes the session cookie. */
export function noSession(isSecure: boolean): string {
  return `${sessionCookie('', isSecure)}; Max-Age=0`
}

/** The browser ID in a Cookie header, to which logins at a provider are tied; "" for none. */
export function browserIn(cookies: string | undefined, isSecure: boolean): string {
  return valueIn(cookies, nameOf(isSecure) + LOGIN)
}

/**
 * The Set-Cookie value of a browser ID, for that many seconds. It is Lax because the browser returns from another site, the provider. It
 * gives no access.
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
