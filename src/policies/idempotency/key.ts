import { GatewayError } from '../../core/errors.ts'
import type { Headers } from '../../http/headers.ts'
import { parseString } from '../structured-fields.ts'

/** The header (draft-ietf-httpapi-idempotency-key-header-07 section 2.1). */
export const FIELD = 'Idempotency-Key'

/** Most characters of a key. */
export const MAX_LENGTH = 255

/** Unquoted keys: visible ASCII except characters with a meaning in structured fields. */
const BARE = /^[!#-+\--:<-[\]-~]+$/

/**
 * The key of a request, either as a String (RFC 9651 section 3.3.3), as the draft specifies, or without quotes, as many clients
 * send it; null if there is none. Throws GatewayError 'bad-request' for anything else.
 */
export function readKey(headers: Headers): string | null {
  const [value, ...others] = headers.getAll(FIELD)
  if (value === undefined) return null
  if (others.length > 0) throw new GatewayError('bad-request', `${FIELD} is given more than once.`)
  const key = BARE.test(value) ? value : parseString(value)
  if (key === null || key === '')
    throw new GatewayError('bad-request', `${FIELD} is not valid: expected a String such as "8e03978e-40d5-43dd-bc93".`)
  if (key.length > MAX_LENGTH) throw new GatewayError('bad-request', `${FIELD} has more than ${MAX_LENGTH} characters.`)
  return key
}
