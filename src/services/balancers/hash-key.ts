import { z } from 'zod'
import { isToken } from '../../core/field.ts'
import { cookieValues } from '../../http/cookies.ts'
import type { BalancedRequest } from './balancer.ts'

const headerName = z.string().refine(isToken, 'expected the name of a header')
const cookieName = z.string().refine(isToken, 'expected the name of a cookie')

/** Schema of the request property that determines the instance. */
export const hashBy = z.union([
  z.enum(['consumer', 'ip']),
  z.strictObject({ header: headerName.describe('Name of a header.').meta({ examples: ['X-User-ID'] }) }),
  z.strictObject({ cookie: cookieName.describe('Name of a cookie.').meta({ examples: ['session'] }) }),
  z.strictObject({
    query: z
      .string()
      .min(1)
      .describe('Name of a query parameter.')
      .meta({ examples: ['user'] }),
  }),
])

export type HashBy = z.output<typeof hashBy>

/** Returns a function that reads the hash key of a request: null if it has none. */
export function hashKey(by: HashBy): (request: BalancedRequest) => string | null {
  if (by === 'ip') return ({ client }) => client.address
  // Anonymous consumers are distinguished by address, as everywhere else.
  if (by === 'consumer') return ({ consumer, client }) => consumer?.id ?? client.address
  if ('header' in by) return ({ headers }) => headers.get(by.header) || null
  if ('cookie' in by) return ({ headers }) => cookieValues(headers, by.cookie)[0] || null
  return ({ query }) => (query === '' ? null : new URLSearchParams(query).get(by.query) || null)
}
