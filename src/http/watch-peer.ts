import type { Socket } from 'node:net'

/** Milliseconds of silence after which the peer is asked. */
const SILENCE = 60_000

/** Of those it does so already. */
const watched = new WeakSet<Socket>()

/** Has TCP ask now and then whether the peer is still there, as nothing else does that bounds how long it may be silent. */
export function watchPeer(socket: Socket): void {
  if (watched.has(socket)) return
  watched.add(socket)
  socket.setKeepAlive(true, SILENCE)
}
