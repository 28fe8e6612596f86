import { editReplies, type Middleware } from '../../http/handler.ts'
import type { Headers } from '../../http/headers.ts'
import { CredentialError } from './credential-error.ts'

/** Name of the header with the subprotocols offered for, or chosen for, a WebSocket (RFC 6455 section 11.3.4). */
export const SUBPROTOCOL = 'Sec-WebSocket-Protocol'

/** The entry after the named subprotocol, which is not a protocol but a token; or null. Throws CredentialError. */
export function subprotocolToken(headers: Headers, name: string): string | null {
  const offered = offeredBy(headers)
  const at = offered.indexOf(name)
  if (at === -1) return null
  if (offered.includes(name, at + 1)) throw new CredentialError('repeated')
  return offered[at + 1] || null
}

/** Removes the named subprotocol and the token after it; the others keep their order. */
export function dropSubprotocol(headers: Headers, name: string): void {
  const offered = offeredBy(headers)
  const remaining = offered.filter((each, i) => each !== name && offered[i - 1] !== name)
  if (remaining.length === offered.length) return
  if (remaining.length === 0) headers.delete(SUBPROTOCOL)
  else headers.set(SUBPROTOCOL, remaining.join(', '))
}

/**
 * Accepts the named subprotocol if a client offers it and the service chooses none: browsers close a WebSocket if they offered
 * subprotocols and none was chosen, and only an offered one may be chosen (RFC 6455 section 4.2.2).
 */
export function agreeTo(name: string): Middleware {
  return (next) => {
    const agreed = editReplies(next, ({ upgrade, headers }) => {
      if (upgrade !== null && !headers.has(SUBPROTOCOL)) headers.set(SUBPROTOCOL, name)
    })
    return (exchange) =>
      exchange.upgrade !== null && offeredBy(exchange.headers).includes(name)
        ? agreed(exchange, undefined)
        : next(exchange)
  }
}

function offeredBy(headers: Headers): string[] {
  const values = headers.getAll(SUBPROTOCOL)
  return values.flatMap((value) => value.split(',')).map((offered) => offered.trim())
}
