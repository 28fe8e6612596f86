import { GatewayError } from '../core/errors.ts'
import { hostName } from '../core/host-name.ts'
import type { ServedConnection } from '../http/server-handler.ts'
import { type Identity, ServerIdentities } from '../tls/server-identities.ts'

/** What was shown on a connection, and what might have been. */
interface Shown {
  readonly identity: Identity
  readonly identities: ServerIdentities
  /** What was asked for last, and may be. */
  authority: string
}

/**
 * Which certificate was shown on each connection, where a listener has several. The hello has decided that, so that this holds
 * for resumed sessions as well.
 */
export class ShownIdentities {
  /** Whether there is anything to be looked up. */
  private any = false
  private readonly connections = new WeakMap<ServedConnection, Shown>()

  remember(connection: ServedConnection, identity: Identity, identities: ServerIdentities): void {
    if (identities.size < 2) return
    this.any = true
    this.connections.set(connection, { identity, identities, authority: '' })
  }

  /**
   * Throws GatewayError 'misdirected-request' where there is a certificate for the name, and one was shown that is not for it
   * (RFC 9110 section 15.5.20): the client has not seen that it speaks to that name. Names without any are answered on every
   * connection.
   */
  check(connection: ServedConnection, authority: string): void {
    if (!this.any) return
    const shown = this.connections.get(connection)
    if (shown === undefined || shown.authority === authority) return
    const name = nameOf(authority)
    if (!ServerIdentities.covers(shown.identity, name) && shown.identities.find(name) !== null)
      throw new GatewayError(
        'misdirected-request',
        'The certificate that was shown on this connection is not for that name: connect anew, and ask for it.',
      )
    shown.authority = authority
  }
}

/** The host of an authority as certificates have it, and as routes are found by it: without brackets, port and trailing dot. */
function nameOf(authority: string): string {
  const name = hostName(authority)
  return name.startsWith('[') ? name.slice(1, -1) : name
}
