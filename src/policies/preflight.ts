import type { Exchange } from '../core/exchange.ts'
import { isToken } from '../core/headers.ts'

/** The method that a CORS preflight asks about (Fetch, "CORS-preflight request"); null for every other request. */
export function preflightMethod({ method, headers }: Exchange): string | null {
  if (method !== 'OPTIONS' || !headers.has('Origin')) return null
  const asked = headers.get('Access-Control-Request-Method')
  return asked !== undefined && isToken(asked) ? asked : null
}
