import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { handleOf, methodOf } from '../core/node-internals.ts'

/**
 * Detects how the peer ended a TLS connection. Node reports both the end of TLS (close_notify, RFC 8446 section 6.1), which cannot be
 * forged, and the end of TCP, which anyone on the path can forge, with the same event. The returned function says, once the connection has
 * ended, whether only TCP ended.
 *
 * How to tell them apart: after the end of TCP, the underlying socket stops reading. A close_notify is found in data that was read, so the
 * socket keeps reading, unless reading was paused before because of backpressure. Node (26.10.0) exposes this only in the handles of both
 * sockets. If a version lacked them, every end would count as an end of TCP: a false error is better than an undetected truncation.
 */
export function watchEnd(secure: TLSSocket, below: Socket): () => boolean {
  let cutOff = true
  const push = secure.push.bind(secure)
  // A constant, as V8 allocates a function that is assigned to a property in the old generation right away.
  const watchedPush: TLSSocket['push'] = (chunk: unknown, encoding) => {
    if (chunk === null) cutOff = !(isHalted(secure) || isReading(below))
    return push(chunk, encoding)
  }
  secure.push = watchedPush
  return () => cutOff
}

/** Whether it was told to stop reading. */
function isHalted(socket: Socket): boolean {
  const handle = handleOf(socket)
  return handle !== null && Reflect.get(handle, 'reading') === false
}

/** Whether it is reading already, in which case starting again is refused. */
function isReading(socket: Socket): boolean {
  const handle = handleOf(socket)
  const result = handle === null ? null : methodOf(handle, 'readStart')?.()
  return typeof result === 'number' && result < 0
}
