import { Socket } from 'node:net'

/**
 * Ends a connection at once, so that its peer sees that what it has got is not all. A secured one is reset through the
 * socket that it was made around: TLSSocket throws ERR_INVALID_HANDLE_TYPE itself. One that was made around none is only closed.
 */
export function reset(socket: Socket): void {
  if (!('encrypted' in socket)) return void socket.resetAndDestroy()
  const carrier: unknown = Reflect.get(socket, '_parent')
  if (carrier instanceof Socket) carrier.resetAndDestroy()
  socket.destroy()
}
