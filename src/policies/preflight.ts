import type { RequestFacts } from '../http/exchange.ts'
import { isToken } from '../core/field.ts'
import type { Headers } from '../http/headers.ts'

/** The method that a CORS preflight asks about (Fetch, "CORS-preflight request"); null for any other request. */
export function preflightMethod({ method, headers }: RequestFacts): string | null {
  if (method !== 'OPTIONS' || !headers.has('Origin')) return null
  const requestedMethod = headers.get('Access-Control-Request-Method')
  return requestedMethod !== undefined && isToken(requestedMethod) ? requestedMethod : null
}

/** Names of the headers that a preflight asks about, in its spelling. */
export function preflightNames(headers: Headers): string[] {
  const names = headers.combined('Access-Control-Request-Headers') ?? ''
  return names
    .split(',')
    .map((name) => name.trim())
    .filter(isToken)
}
