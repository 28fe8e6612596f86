import type { Socket } from 'node:net'

/** How the connections to an instance are encrypted. */
export interface Encryption {
  /**
   * Starts TLS on a connected socket. `done` is called once with the outcome of the handshake, unless the socket was
   * destroyed before.
   */
  begin(socket: Socket, done: (error: Error | null) => void): Socket
  /** Whether the peer ended the connection without a close_notify alert (RFC 8446 section 6.1): data may be missing. */
  cutOff(socket: Socket): boolean
  /** Translates a socket error into plain words where it is a TLS error. */
  explain(error: Error): Error
}
