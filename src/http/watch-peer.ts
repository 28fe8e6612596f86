import type { Socket } from 'node:net'

/** Milliseconds of silence after which the peer is probed. */
const SILENCE = 60_000

/** Sockets on which probing is already enabled. */
const watched = new WeakSet<Socket>()

/** Enables TCP keep-alive probes, for connections where nothing else limits how long the peer may be silent. */
export function watchPeer(socket: Socket): void {
  if (watched.has(socket)) return
  watched.add(socket)
  socket.setKeepAlive(true, SILENCE)
}
