import type { Socket } from 'node:net'
import type { Address } from '../core/address.ts'

/** Where a socket listens that was opened as if it were a connection; null where it is one, or no TCP socket. */
export function listeningAddress({ localAddress, localPort, remoteAddress }: Socket): Address | null {
  if (localAddress === undefined || localPort === undefined || remoteAddress !== undefined) return null
  return { host: localAddress, port: localPort }
}
