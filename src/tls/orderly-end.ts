import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { handleOf, methodOf } from '../core/node-internals.ts'

/**
 * Watches how the other side of a TLS connection ends. Node tells of the end of TLS (close_notify, RFC 8446 section 6.1),
 * which nobody can forge, and of the end of TCP, which anybody on the way can, by the same event. The returned function
 * says whether the end, once it is there, was that of TCP alone.
 *
 * What tells them apart: after the end of TCP nothing is read from the socket below any more, while that of TLS comes out
 * of octets that were read, so that reading goes on, or was halted before by whoever is slow. Node (26.10.0) has this in the
 * handles of both sockets alone. Where a version of it had not, every end would count as that of TCP: an error rather than a lie.
 */
export function watchEnd(secure: TLSSocket, below: Socket): () => boolean {
  let cutOff = true
  const push = secure.push.bind(secure)
  secure.push = (chunk: unknown, encoding?: BufferEncoding) => {
    if (chunk === null) cutOff = !(isHalted(secure) || isReading(below))
    return push(chunk, encoding)
  }
  return () => cutOff
}

/** Whether it was told to read no further. */
function isHalted(socket: Socket): boolean {
  const handle = handleOf(socket)
  return handle !== null && Reflect.get(handle, 'reading') === false
}

/** Whether it reads already: to begin again is refused then. */
function isReading(socket: Socket): boolean {
  const handle = handleOf(socket)
  const result = handle === null ? null : methodOf(handle, 'readStart')?.()
  return typeof result === 'number' && result < 0
}
