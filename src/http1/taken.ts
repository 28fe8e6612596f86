import type { Socket } from 'node:net'

/**
 * Octets of all that was written to the socket that the system has taken, counted from an origin of its own: it grows
 * while the peer reads, however much is still to go. The stream itself only says when a whole write is through.
 */
export function takenOf(socket: Socket): number {
  const handle: unknown = Reflect.get(socket, '_handle')
  if (typeof handle !== 'object' || handle === null) return -socket.writableLength
  const written: unknown = Reflect.get(handle, 'bytesWritten')
  const queued: unknown = Reflect.get(handle, 'writeQueueSize')
  if (typeof written !== 'number' || typeof queued !== 'number') return -socket.writableLength
  return written - queued
}
