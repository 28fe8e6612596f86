import type { Exchange } from '../../../http/exchange.ts'

/** Characters of a target that is kept while somebody logs in. */
const LONGEST = 1000

/**
 * Whether the text is a path, with or without a query, that no browser takes for one of another host: browsers read "//host" and
 * "/\host" as such, and leave tabs and line ends out.
 */
export function isOwnTarget(text: string): boolean {
  return /^\/(?!\/)[\x21-\x5b\x5d-\x7e]*$/.test(text)
}

/** The target, or "/" for one that leads elsewhere or is too long to be kept. */
export function ownTarget(text: string | null): string {
  return text !== null && text.length <= LONGEST && isOwnTarget(text) ? text : '/'
}

/**
 * Whether a browser is about to show the reply as a page, so that it may be led to a login: by Fetch Metadata, and for browsers
 * without by what it accepts.
 */
export function isNavigation({ method, headers, upgrade }: Exchange): boolean {
  if (method !== 'GET' || upgrade !== null || headers.has('X-Requested-With')) return false
  const mode = headers.get('Sec-Fetch-Mode')
  if (mode !== undefined) return mode === 'navigate'
  return /\btext\/html\b/i.test(headers.combined('Accept') ?? '')
}
