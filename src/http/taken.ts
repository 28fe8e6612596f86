import type { Socket } from 'node:net'
import { handleOf } from '../core/node-internals.ts'

/** What a part of the system knows of all that was written to it, in octets. */
interface Level {
  readonly written: number
  readonly queued: number
  /** What is under it: the connection under its encryption. */
  readonly below: Level | null
}

/** Null where it cannot be asked: handles of Node 26.10.0 can. */
function levelOf(handle: unknown): Level | null {
  if (typeof handle !== 'object' || handle === null) return null
  const written: unknown = Reflect.get(handle, 'bytesWritten')
  const queued: unknown = Reflect.get(handle, 'writeQueueSize')
  if (typeof written !== 'number' || typeof queued !== 'number') return null
  return { written, queued, below: levelOf(Reflect.get(handle, '_parent')) }
}

/**
 * Octets of all that was written to the socket that the system has taken, counted from an origin of its own: it grows
 * while the peer reads, however much is still to go. The stream itself only says when a whole write is through.
 */
export function takenOf(socket: Socket): number {
  const level = levelOf(handleOf(socket))
  if (level === null) return -socket.writableLength
  const { written, queued } = level.below ?? level
  return written - queued
}

/** Octets written to the socket that the system has not yet taken. */
export function untakenOf(socket: Socket): number {
  const level = levelOf(handleOf(socket))
  if (level === null) return socket.writableLength
  return socket.bytesWritten - level.written + level.queued + (level.below?.queued ?? 0)
}
