import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { handleOf, methodOf } from '../core/node-internals.ts'
import { type Reader, sharedBuffer } from '../http/read-buffers.ts'

/**
 * Symbols under which a socket of Node keeps its read buffer, the function that returns the next one, and the read
 * callback.
 */
interface Places {
  readonly buffer: symbol
  readonly next: symbol
  readonly take: symbol
}

/** The same for all sockets, once found on one. */
let known: Places | null = null

/**
 * Reads from an accepted socket into the buffer that its reader provides, without an allocation per read and without a
 * stream in between. Nothing may have been read before, or all of it must have been consumed. Node offers this through
 * the `onread` option, but neither for sockets of a server nor for TLS on top of an existing socket, so this does the
 * same as that option (in Node 26.10.0). In versions without these symbols, the socket is read as a stream.
 */
export function readLent(socket: Socket, reader: Reader): void {
  const lent = lend(
    socket,
    () => reader.readBuffer,
    (length, bytes) => {
      reader.read(bytes, length)
      return true
    },
  )
  if (!lent) socket.on('data', (bytes: Buffer) => reader.read(bytes, bytes.length))
  socket.resume()
}

/**
 * The same for a TLS socket. Several records may be decrypted at once, the later ones after reading was paused: those
 * are buffered in the stream.
 */
export function readSecured(socket: TLSSocket, reader: Reader): void {
  socket.on('data', (bytes: Buffer) => reader.read(bytes, bytes.length))
  const waits = (): boolean => socket.isPaused() || socket.readableLength > 0
  lend(
    socket,
    () => (waits() ? sharedBuffer : reader.readBuffer),
    (length, bytes) => {
      if (waits()) return socket.push(Buffer.from(bytes.subarray(0, length)))
      reader.read(bytes, length)
      return true
    },
  )
}

/** Returns false where Node does not have these symbols. */
function lend(socket: Socket, next: () => Buffer, take: (length: number, bytes: Buffer) => boolean): boolean {
  const places = placesOf(socket)
  const handle = handleOf(socket)
  const use = handle === null ? null : methodOf(handle, 'useUserBuffer')
  if (places === null || use === null) return false
  const first = next()
  Reflect.set(socket, places.buffer, first)
  Reflect.set(socket, places.next, next)
  Reflect.set(socket, places.take, take)
  use(first)
  return true
}

/** Null where the socket does not have them, or they are in use. */
function placesOf(socket: Socket): Places | null {
  known ??= find(socket)
  const isFree = (symbol: symbol): boolean => Reflect.get(socket, symbol) === null
  return known !== null && isFree(known.buffer) && isFree(known.next) && isFree(known.take) ? known : null
}

function find(socket: Socket): Places | null {
  const symbols = Object.getOwnPropertySymbols(socket)
  const named = (name: string): symbol | undefined => symbols.find(({ description }) => description === name)
  const [buffer, next, take] = [named('kBuffer'), named('kBufferGen'), named('kBufferCb')]
  return buffer === undefined || next === undefined || take === undefined ? null : { buffer, next, take }
}
