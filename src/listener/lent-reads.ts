import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { handleOf, methodOf } from '../core/node-internals.ts'
import { type Reader, sharedBuffer } from '../http/read-buffers.ts'

/** Under which a socket of Node keeps its read buffer, who names the next one, and who takes octets. */
interface Places {
  readonly buffer: symbol
  readonly next: symbol
  readonly take: symbol
}

/** The same for all sockets, once they were found with one. */
let known: Places | null = null

/**
 * Reads from an accepted socket, of which nothing has been read or all that was has been taken, into the buffer its reader names: none is
 * allocated for a read, and no stream stands between. Node offers that by the `onread` option, but neither for a socket of a server nor where
 * TLS is put around one that there is already; so it is done as the option does it (in Node 26.10.0). Where a version has no such places, the
 * socket is read as a stream.
 */
export function readLent(socket: Socket, reader: Reader): void {
  const lent = lend(
    socket,
    () => reader.readBuffer,
    (length, octets) => {
      reader.read(octets, length)
      return true
    },
  )
  if (!lent) socket.on('data', (octets: Buffer) => reader.read(octets, octets.length))
  socket.resume()
}

/** The same for one that is encrypted. Several records may be decrypted at once, the later ones when reading has been paused: those wait in the stream. */
export function readSecured(socket: TLSSocket, reader: Reader): void {
  socket.on('data', (octets: Buffer) => reader.read(octets, octets.length))
  const waits = (): boolean => socket.isPaused() || socket.readableLength > 0
  lend(
    socket,
    () => (waits() ? sharedBuffer : reader.readBuffer),
    (length, octets) => {
      if (waits()) return socket.push(Buffer.from(octets.subarray(0, length)))
      reader.read(octets, length)
      return true
    },
  )
}

/** False where Node has no such places. */
function lend(socket: Socket, next: () => Buffer, take: (length: number, octets: Buffer) => boolean): boolean {
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

/** Null where the socket has no such places. */
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
