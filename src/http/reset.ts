import type { Socket } from 'node:net'
import { carrierOf } from '../core/node-internals.ts'

/**
 * Ends a connection at once, so that its peer sees that what it has got is not all. A secured one is reset through the
 * socket that it was made around: TLSSocket throws ERR_INVALID_HANDLE_TYPE itself. One that was made around none is only closed.
 */
export function reset(socket: Socket): void {
  if (!('encrypted' in socket)) return void socket.resetAndDestroy()
  carrierOf(socket)?.resetAndDestroy()
  socket.destroy()
}
