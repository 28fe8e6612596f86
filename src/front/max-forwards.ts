import { GatewayError } from '../core/errors.ts'
import type { RequestFacts } from '../http/exchange.ts'
import { Headers } from '../http/headers.ts'
import { Reply } from '../http/reply.ts'

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, QUERY'
const STEPS = /^\d{1,9}$/

/**
 * Whether an OPTIONS request ends at the gateway: "OPTIONS *" addresses the gateway itself (RFC 9110 section 9.3.7), and Max-Forwards may
 * be used up (section 7.6.2). Otherwise, Max-Forwards is decremented.
 */
export function isForGateway({ path, headers }: RequestFacts): boolean {
  if (path === '*') return true
  const steps = headers.combined('Max-Forwards')
  if (steps === undefined) return false
  if (!STEPS.test(steps) || Number(steps) === 0) return true
  headers.set('Max-Forwards', String(Number(steps) - 1))
  return false
}

/** Replies to OPTIONS with the methods that the gateway forwards. Throws GatewayError 'bad-request'. */
export function replyToOptions({ headers }: RequestFacts): Reply {
  const steps = headers.combined('Max-Forwards')
  if (steps !== undefined && !STEPS.test(steps))
    throw new GatewayError('bad-request', 'Max-Forwards is not a number of up to 9 digits.')
  return new Reply(204, Headers.of([['Allow', METHODS]]), null)
}
