import type { Exchange } from '../../../http/exchange.ts'

/** Most characters of a target that is kept during a login. */
const MAX_LENGTH = 1000

/**
 * Whether the text is a path, with or without a query, that no browser interprets as a URL of another host: browsers treat "//host"
 * and "/\host" that way, and ignore tabs and line breaks.
 */
export function isOwnTarget(text: string): boolean {
  return /^\/(?!\/)[\x21-\x5b\x5d-\x7e]*$/.test(text)
}

/** The target, or "/" if it leads to another host or is too long. */
export function ownTarget(text: string | null): string {
  return text !== null && text.length <= MAX_LENGTH && isOwnTarget(text) ? text : '/'
}

/**
 * Whether a browser is about to show the reply as a page and so may be redirected to a login: determined by Fetch Metadata, or by
 * Accept in browsers without it.
 */
export function isNavigation({ method, headers, upgrade }: Exchange): boolean {
  if (method !== 'GET' || upgrade !== null || headers.has('X-Requested-With')) return false
  const mode = headers.get('Sec-Fetch-Mode')
  if (mode !== undefined) return mode === 'navigate'
  return /\btext\/html\b/i.test(headers.combined('Accept') ?? '')
}
