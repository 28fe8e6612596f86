import { isIPv4 } from 'node:net'
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
   * connection, and so are IP addresses (those of IPv6 stand in brackets here): no client can ask for one in a handshake (RFC 6066
   * section 3), so it would get 421 for ever.
   */
  check(connection: ServedConnection, authority: string): void {
    if (!this.any) return
    const shown = this.connections.get(connection)
    if (shown === undefined || shown.authority === authority) return
    const name = hostName(authority)
    if (!isIPv4(name) && !ServerIdentities.covers(shown.identity, name) && shown.identities.find(name) !== null)
      throw new GatewayError(
        'misdirected-request',
        'The certificate of this connection is not valid for that host: open a new connection for it.',
      )
    shown.authority = authority
  }
}
