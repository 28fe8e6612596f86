import type { TLSSocket } from 'node:tls'
import { handleOf, methodOf } from '../core/node-internals.ts'
import { type Reader, sharedBuffer } from '../http/read-buffers.ts'

/** Under which a socket of Node keeps its read buffer, who names the next one, and who takes octets. */
interface Places {
  readonly buffer: symbol
  readonly next: symbol
  readonly take: symbol
}

/**
 * Reads from a socket that is encrypted into the buffer its reader names, without one that is allocated for each read. Node
 * offers that by the `onread` option, but not where TLS is put around a socket that there is already; so it is done as the
 * option does it (in Node 26.10.0). Where a version has no such places, the socket is read as a stream.
 *
 * Several records may be decrypted at once, the later ones when reading has been paused: those wait in the stream.
 */
export function readSecured(socket: TLSSocket, reader: Reader): void {
  socket.on('data', (octets: Buffer) => reader.read(octets, octets.length))
  const places = placesOf(socket)
  const handle = handleOf(socket)
  const use = handle === null ? null : methodOf(handle, 'useUserBuffer')
  if (places === null || use === null) return
  const waits = (): boolean => socket.isPaused() || socket.readableLength > 0
  Reflect.set(socket, places.buffer, sharedBuffer)
  Reflect.set(socket, places.next, () => (waits() ? sharedBuffer : reader.readBuffer))
  Reflect.set(socket, places.take, (length: number, octets: Buffer) => {
    if (waits()) return socket.push(Buffer.from(octets.subarray(0, length)))
    reader.read(octets, length)
    return true
  })
  use(sharedBuffer)
}

/** Null where Node has no such places. */
function placesOf(socket: TLSSocket): Places | null {
  const symbols = Object.getOwnPropertySymbols(socket)
  const named = (name: string): symbol | undefined =>
    symbols.find((symbol) => symbol.description === name && Reflect.get(socket, symbol) === null)
  const [buffer, next, take] = [named('kBuffer'), named('kBufferGen'), named('kBufferCb')]
  return buffer === undefined || next === undefined || take === undefined ? null : { buffer, next, take }
}
