import { isToken } from '../core/field.ts'
import type { HeadLimits } from '../http/limits.ts'
import { MalformedMessage } from '../http/malformed-message.ts'
import { INCOMPLETE } from './fields.ts'
import { RequestHead } from './request-head.ts'

/** The parts of a request head that was not received from a connection. */
export interface SyntheticHead {
  readonly method: string
  readonly target: string
  readonly fields: readonly (readonly [name: string, value: string])[]
}

/** Characters that end a field or a line. */
const BREAKS = /[\r\n\0]/

/** The head as it would be read from a connection. Throws a GatewayError where it would be refused. */
export function syntheticHead({ method, target, fields }: SyntheticHead, limits: HeadLimits): RequestHead {
  if (!isToken(method) || BREAKS.test(target)) throw new MalformedMessage('The request line is malformed.')
  if (fields.some(([name, value]) => !isToken(name) || BREAKS.test(value)))
    throw new MalformedMessage('A header field has an invalid name or value.')
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`)
  // Text beyond ASCII is encoded as UTF-8, as other clients do.
  const bytes = Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`)
  const head = new RequestHead(limits)
  if (head.parse(bytes, 0, bytes.length) === INCOMPLETE) throw new MalformedMessage('The request is malformed.')
  return head
}
