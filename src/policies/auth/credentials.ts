import { cookieValues } from '../../http/cookies.ts'
import { type Headers, sameName } from '../../http/headers.ts'
import { CredentialError } from './credential-error.ts'

const SP = 0x20

/**
 * The value of a header that may be sent only once, or undefined. Throws CredentialError 'repeated', as it is unknown which of
 * several values the service would use.
 */
export function onlyField(headers: Headers, name: string): string | undefined {
  const value = headers.single(name)
  if (value === null) throw new CredentialError('repeated')
  return value
}

/**
 * The token of `Authorization: Bearer` (RFC 6750 section 2.1), or of another header, in which the scheme is optional; null if there
 * is none. Throws CredentialError.
 */
export function bearerToken(headers: Headers, name = 'Authorization'): string | null {
  const value = onlyField(headers, name)
  if (value === undefined) return null
  if (value.startsWith('Bearer ') && value.charCodeAt(7) !== SP) return value.slice(7) || null
  if (/^bearer(?: |$)/i.test(value)) return value.slice(6).replace(/^ +/, '') || null
  return sameName(name, 'Authorization') ? null : value || null
}

/** Removes `Authorization` if it holds a bearer token. */
export function dropBearerToken(headers: Headers): void {
  if (headers.getAll('Authorization').some((value) => /^bearer(?: |$)/i.test(value))) headers.delete('Authorization')
}

/** The value of a cookie, or null. Throws CredentialError. */
export function cookieValue(headers: Headers, name: string): string | null {
  const values = cookieValues(headers, name)
  if (values.length > 1) throw new CredentialError('repeated')
  return values[0] || null
}

/** The decoded value of a query parameter, or undefined. Throws CredentialError. */
export function queryParameter(query: string, name: string): string | undefined {
  if (query === '') return undefined
  const [value, second] = new URLSearchParams(query).getAll(name)
  if (second !== undefined) throw new CredentialError('repeated')
  return value
}

/** The query without the parameters of that name, however it is percent-encoded; the other parameters are left unchanged. */
export function withoutParameter(query: string, name: string): string {
  if (query === '') return query
  const parts = query.slice(1).split('&')
  const remaining = parts.filter((part) => nameOf(part) !== name)
  if (remaining.length === parts.length) return query
  return remaining.length === 0 ? '' : `?${remaining.join('&')}`
}

/** The decoded name of one parameter. Few are encoded, and decoding each of thousands of empty ones would take milliseconds. */
function nameOf(part: string): string {
  const [name = ''] = part.split('=', 1)
  return /[%+]/.test(name) ? ([...new URLSearchParams(`&${name}`).keys()][0] ?? '') : name
}
