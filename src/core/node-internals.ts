/**
 * What sockets and servers of Node have and its documentation does not say: tried on Node 26.10.0. Where a version has it not, null
 * is what everybody is prepared for.
 */
import { type Server, Socket } from 'node:net'

/** What a socket or a server does its work by; null once it is closed. */
export function handleOf(owner: Socket | Server): object | null {
  const handle: unknown = Reflect.get(owner, '_handle')
  return typeof handle === 'object' ? handle : null
}

/** The connection that a secured one was put around; null where there is none. */
export function carrierOf(secured: Socket): Socket | null {
  const carrier: unknown = Reflect.get(secured, '_parent')
  return carrier instanceof Socket ? carrier : null
}

/** What OpenSSL was given for the connections of a server that speaks TLS. */
export function secureContextOf(server: Server): object | null {
  const context: unknown = Reflect.get(Object(Reflect.get(server, '_sharedCreds')), 'context')
  return typeof context === 'object' ? context : null
}

/** A method of such an object; null where it has none of that name. */
export function methodOf(owner: object, name: string): ((...values: readonly unknown[]) => unknown) | null {
  const method: unknown = Reflect.get(owner, name)
  return typeof method === 'function' ? (...values): unknown => Reflect.apply(method, owner, values) : null
}

/** A number that such an object has; null where it has none of that name. */
export function numberOf(owner: object, name: string): number | null {
  const number: unknown = Reflect.get(owner, name)
  return typeof number === 'number' ? number : null
}
