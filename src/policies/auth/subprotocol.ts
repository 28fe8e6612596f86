import { editReplies, type Middleware } from '../../http/handler.ts'
import type { Headers } from '../../http/headers.ts'
import { CredentialError } from './credential-error.ts'

/** Name of the field with the subprotocols that a WebSocket may have, or has (RFC 6455 section 11.3.4). */
export const SUBPROTOCOL = 'Sec-WebSocket-Protocol'

/** The subprotocol that comes after that of the name, which is no protocol but a token; or null. Throws CredentialError. */
export function subprotocolToken(headers: Headers, name: string): string | null {
  const offered = offeredBy(headers)
  const at = offered.indexOf(name)
  if (at === -1) return null
  if (offered.includes(name, at + 1)) throw new CredentialError('repeated')
  return offered[at + 1] || null
}

/** Takes the subprotocol of that name out, and the token after it; the others stay in their order. */
export function dropSubprotocol(headers: Headers, name: string): void {
  const offered = offeredBy(headers)
  const kept = offered.filter((each, i) => each !== name && offered[i - 1] !== name)
  if (kept.length === offered.length) return
  if (kept.length === 0) headers.delete(SUBPROTOCOL)
  else headers.set(SUBPROTOCOL, kept.join(', '))
}

/**
 * Agrees to the subprotocol of that name where a client offers it and the service chooses none: browsers end a WebSocket
 * for which they have offered some and got none, and only what was offered may be chosen (RFC 6455 section 4.2.2).
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
