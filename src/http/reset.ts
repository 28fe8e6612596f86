import type { Socket } from 'node:net'
import { carrierOf } from '../core/node-internals.ts'

/**
 * Resets a connection at once, so that its peer can tell that what it received is incomplete. A TLS socket is reset
 * through the socket underneath, as resetAndDestroy of TLSSocket itself throws ERR_INVALID_HANDLE_TYPE. Where there is
 * none underneath, it is only closed.
 */
export function reset(socket: Socket): void {
  if (!('encrypted' in socket)) return void socket.resetAndDestroy()
  carrierOf(socket)?.resetAndDestroy()
  socket.destroy()
}
