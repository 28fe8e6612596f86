import type { Socket } from 'node:net'
import { handleOf } from '../core/node-internals.ts'

/** Progress of writes at one layer of a connection, in bytes. */
interface Level {
  readonly written: number
  readonly queued: number
  /** The layer underneath: the TCP connection below TLS. */
  readonly below: Level | null
}

/** Null where the handle does not provide it: handles of Node 26.10.0 do. */
function levelOf(handle: unknown): Level | null {
  if (typeof handle !== 'object' || handle === null) return null
  const written: unknown = Reflect.get(handle, 'bytesWritten')
  const queued: unknown = Reflect.get(handle, 'writeQueueSize')
  if (typeof written !== 'number' || typeof queued !== 'number') return null
  return { written, queued, below: levelOf(Reflect.get(handle, '_parent')) }
}

/**
 * How many of the bytes written to the socket the operating system has taken, counted from an arbitrary origin: it
 * grows while the peer reads, however much is still pending. The stream itself only reports whole writes.
 */
export function bytesTaken(socket: Socket): number {
  const level = levelOf(handleOf(socket))
  if (level === null) return -socket.writableLength
  const { written, queued } = level.below ?? level
  return written - queued
}

/** Bytes written to the socket that the operating system has not taken yet. */
export function bytesPending(socket: Socket): number {
  const level = levelOf(handleOf(socket))
  if (level === null) return socket.writableLength
  return socket.bytesWritten - level.written + level.queued + (level.below?.queued ?? 0)
}
