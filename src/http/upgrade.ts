import type { GatewayError } from '../core/errors.ts'

/** One end of a tunnel: a socket, or a stream within a connection. Bytes received from it are passed to the tunnel. */
export interface TunnelEnd {
  /** It is closed in both directions. */
  readonly destroyed: boolean
  /** Nothing more may be written to it. */
  readonly writableEnded: boolean
  /** Bytes that were written to it and not yet taken. */
  readonly writableLength: number
  /** Writes bytes; false asks the caller to wait until the tunnel is notified that all of them were taken. */
  write(bytes: Buffer): boolean
  /** Signals that no more bytes will come. */
  end(): unknown
  pause(): unknown
  resume(): unknown
  /** Closes it once everything written has been taken. */
  destroySoon(): void
  /** Closes it at once. */
  destroy(): unknown
}

/** An upgraded connection: bytes go both ways until both ends have ended (RFC 9110 section 7.8). */
export interface Tunnel {
  /** Bytes sent to the client. */
  readonly bytes: number
  /** The error for which the gateway ended it, or null. */
  readonly error: GatewayError | null
  /** Takes bytes from the client; they are only lent. */
  fromClient(bytes: Buffer): void
  /** The client has taken everything that was written to it. */
  clientDrained(): void
  /** The client sends no more. */
  clientEnded(): void
  /** One connection is closed: closes the other one as soon as it has taken what was written to it. */
  close(): void
  /**
   * Ends both connections shortly: a WebSocket client is first sent a Close frame with that status code (RFC 6455
   * section 7.4.1).
   */
  leave(status: number): void
  /** Ends both connections at once. */
  destroy(): void
}

/** The service's acceptance of an upgrade, together with a 101 reply. */
export interface Upgrade {
  /** The protocol that both sides use from now on. */
  readonly protocol: string
  /** Connects the service's connection to the client's; to be called once, after the 101 reply was written. */
  open(client: TunnelEnd): Tunnel
  /** The client is gone: the upgrade is not used. */
  refuse(): void
}
