import type { Socket } from 'node:net'
import type { GatewayError } from '../core/errors.ts'

/** A connection that has left HTTP: octets go to and fro until both ends have ended (RFC 9110 section 7.8). */
export interface Tunnel {
  /** Octets that went to the client. */
  readonly bytes: number
  /** What the gateway ended it for, or null. */
  readonly error: GatewayError | null
  /** Takes octets from the client; only lent. */
  fromClient(octets: Buffer): void
  /** The client has taken everything that was written to it. */
  clientDrained(): void
  /** The client sends no more. */
  clientEnded(): void
  /** One connection is gone: ends the other one as soon as it has taken what was written to it. */
  close(): void
  /**
   * Ends both connections in a moment: a WebSocket client is told first, by a Close frame with that status code
   * (RFC 6455 section 7.4.1).
   */
  leave(status: number): void
  /** Ends both connections at once. */
  destroy(): void
}

/** The service's agreement to another protocol, together with a 101 reply. */
export interface Upgrade {
  /** The protocol that both sides speak from now on. */
  readonly protocol: string
  /** Joins the service's connection with the client's; to be called once, after the 101 reply was written. */
  open(client: Socket): Tunnel
  /** The client is not there any more. */
  refuse(): void
}
