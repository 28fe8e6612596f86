/**
 * Undocumented internals of Node's sockets and servers, tested with Node 26.10.0. All callers handle null, which is returned where a
 * version lacks them.
 */
import { type Server, Socket } from 'node:net'

/** The underlying handle of a socket or server; null once it is closed. */
export function handleOf(owner: Socket | Server): object | null {
  const handle: unknown = Reflect.get(owner, '_handle')
  return typeof handle === 'object' ? handle : null
}

/** The connection that a TLS socket wraps; null if there is none. */
export function carrierOf(secured: Socket): Socket | null {
  const carrier: unknown = Reflect.get(secured, '_parent')
  return carrier instanceof Socket ? carrier : null
}

/** The OpenSSL context for the connections of a TLS server. */
export function secureContextOf(server: Server): object | null {
  const context: unknown = Reflect.get(Object(Reflect.get(server, '_sharedCreds')), 'context')
  return typeof context === 'object' ? context : null
}

/** A method of such an object; null if it has no method of that name. */
export function methodOf(owner: object, name: string): ((...values: readonly unknown[]) => unknown) | null {
  const method: unknown = Reflect.get(owner, name)
  return typeof method === 'function' ? (...values): unknown => Reflect.apply(method, owner, values) : null
}

/** A numeric property of such an object; null if it has none of that name. */
export function numberOf(owner: object, name: string): number | null {
  const number: unknown = Reflect.get(owner, name)
  return typeof number === 'number' ? number : null
}

/** Symbols under which a socket keeps its read buffer, the function that returns the next one, and the read callback. */
export interface ReadSymbols {
  readonly buffer: symbol
  readonly next: symbol
  readonly take: symbol
}

/** The same for all sockets, once found on one. */
let known: ReadSymbols | null = null

/** The symbols of a socket's own reads; null if it has none. */
export function readSymbolsOf(socket: Socket): ReadSymbols | null {
  known ??= findReadSymbols(socket)
  return known
}

function findReadSymbols(socket: Socket): ReadSymbols | null {
  const symbols = Object.getOwnPropertySymbols(socket)
  const named = (name: string): symbol | undefined => symbols.find(({ description }) => description === name)
  const [buffer, next, take] = [named('kBuffer'), named('kBufferGen'), named('kBufferCb')]
  return buffer === undefined || next === undefined || take === undefined ? null : { buffer, next, take }
}
