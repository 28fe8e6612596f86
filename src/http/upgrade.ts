import type { GatewayError } from '../core/errors.ts'

/** One end of a tunnel: a socket, or a stream within a connection. What comes from it is handed to the tunnel. */
export interface TunnelEnd {
  /** Nothing comes from it, or goes to it, any more. */
  readonly destroyed: boolean
  /** Nothing more is to be written to it. */
  readonly writableEnded: boolean
  /** Octets that were written to it and not yet taken. */
  readonly writableLength: number
  /** Takes octets; false asks to wait until the tunnel is told that all were taken. */
  write(octets: Buffer): boolean
  /** Says that no more octets will come. */
  end(): unknown
  pause(): unknown
  resume(): unknown
  /** Ends it once all that was written is taken. */
  destroySoon(): void
  /** Ends it at once. */
  destroy(): unknown
}

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
  open(client: TunnelEnd): Tunnel
  /** The client is not there any more. */
  refuse(): void
}
