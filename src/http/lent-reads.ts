import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { handleOf, methodOf, type ReadSymbols, readSymbolsOf } from '../core/node-internals.ts'
import { letGoOnClose } from './let-go.ts'
import { type Reader, sharedBuffer } from './read-buffers.ts'

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
  letGoOnClose(socket)
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
  letGoOnClose(socket)
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
function placesOf(socket: Socket): ReadSymbols | null {
  const symbols = readSymbolsOf(socket)
  const isFree = (symbol: symbol): boolean => Reflect.get(socket, symbol) === null
  return symbols !== null && isFree(symbols.buffer) && isFree(symbols.next) && isFree(symbols.take) ? symbols : null
}
