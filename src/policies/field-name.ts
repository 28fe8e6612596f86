import { z } from 'zod'
import { isToken } from '../core/headers.ts'

/** Fields that belong to one connection or to the framing of a message (RFC 9110 section 7.6.1, RFC 9112 section 6). */
const WIRE =
  /^(?:connection|content-length|host|http2-settings|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade)$/i

/** Schema of a header field name that a policy may read, set or remove: a token, and none of the wire's own fields. */
export const fieldName = z
  .string()
  .refine(isToken, {
    error: (issue) => `${JSON.stringify(issue.input)} is not a header name: use letters, digits and hyphens`,
  })
  .refine((name) => !WIRE.test(name), {
    error: (issue) =>
      `${JSON.stringify(issue.input)} belongs to the connection and the framing of messages; the gateway sets it itself`,
  })
