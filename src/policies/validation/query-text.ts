import type { GatewayError } from '../../core/errors.ts'
import { pointerToken } from '../../core/json-pointer.ts'
import { refusal } from './violations.ts'

/**
 * Strictly decodes the name or value of a parameter in a query, in which "+" is a space (WHATWG URL,
 * application/x-www-form-urlencoded). Throws GatewayError 'bad-request'.
 */
export function decode(text: string, name: string): string {
  if (!/[%+]/.test(text)) return text
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw malformed(name, 'is not percent-encoded UTF-8')
  }
}

/** The error for a malformed parameter. */
export function malformed(name: string, detail: string): GatewayError {
  const violation = { pointer: name === '' ? '' : pointerToken(name), in: 'query', detail } as const
  return refusal('bad-request', 'The parameters of the request are malformed.', [violation])
}
