import type { Socket } from 'node:net'

/** What the system knows of all that was written to a socket, in octets; null where it cannot be asked. */
function stateOf(socket: Socket): { written: number; queued: number } | null {
  const handle: unknown = Reflect.get(socket, '_handle')
  if (typeof handle !== 'object' || handle === null) return null
  const written: unknown = Reflect.get(handle, 'bytesWritten')
  const queued: unknown = Reflect.get(handle, 'writeQueueSize')
  return typeof written === 'number' && typeof queued === 'number' ? { written, queued } : null
}

/**
 * Octets of all that was written to the socket that the system has taken, counted from an origin of its own: it grows
 * while the peer reads, however much is still to go. The stream itself only says when a whole write is through.
 */
export function takenOf(socket: Socket): number {
  const state = stateOf(socket)
  return state === null ? -socket.writableLength : state.written - state.queued
}

/** Octets written to the socket that the system has not yet taken. */
export function untakenOf(socket: Socket): number {
  const state = stateOf(socket)
  return state === null ? socket.writableLength : socket.bytesWritten - state.written + state.queued
}
