import type { Socket } from 'node:net'

/** How the connections to one instance are encrypted. */
export interface Encryption {
  /**
   * Begins to speak TLS over a connected socket. `done` is told once how the handshake ended, but for a socket that was
   * destroyed before.
   */
  begin(socket: Socket, done: (error: Error | null) => void): Socket
  /** Whether the other side ended without saying so (RFC 8446 section 6.1): there may be more that it sent. */
  cutOff(socket: Socket): boolean
  /** An error of the socket, in plain words where it is one of TLS. */
  explain(error: Error): Error
}
