import type { Socket } from 'node:net'
import { GatewayError } from '../core/errors.ts'

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

/** No secure connection could be made: nothing was sent, so another instance may be tried whatever the request is. */
export class HandshakeFailed extends GatewayError {
  constructor(address: string, cause: Error) {
    super('bad-gateway', 'No secure connection to the service could be made.', {
      cause: new Error(`cannot connect to ${address}`, { cause }),
    })
  }
}
