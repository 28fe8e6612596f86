import { isIPv4 } from 'node:net'
import { GatewayError } from '../core/errors.ts'
import { hostName } from '../core/host-name.ts'
import type { ServedConnection } from '../http/server-handler.ts'
import { type Identity, ServerIdentities } from '../tls/server-identities.ts'

/** The certificate presented on a connection, and those it was chosen from. */
interface Shown {
  readonly identity: Identity
  readonly identities: ServerIdentities
  /** The last authority that passed the check. */
  authority: string
}

/**
 * Which certificate was presented on each connection, where a listener has several. It was chosen by the hello, so this
 * holds for resumed sessions as well.
 */
export class ShownIdentities {
  /** Whether any connection has an entry. */
  private any = false
  private readonly connections = new WeakMap<ServedConnection, Shown>()

  remember(connection: ServedConnection, identity: Identity, identities: ServerIdentities): void {
    if (identities.size < 2) return
    this.any = true
    this.connections.set(connection, { identity, identities, authority: '' })
  }

  /**
   * Throws GatewayError 'misdirected-request' where there is a certificate for the name but one was presented that does
   * not cover it (RFC 9110 section 15.5.20): the client cannot know that it reached that name. Names without a
   * certificate are accepted on every connection, and so are IP addresses (IPv6 ones are in brackets here): clients
   * cannot send them in a handshake (RFC 6066 section 3), so they would always get 421.
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
