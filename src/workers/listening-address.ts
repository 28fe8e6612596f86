import type { Socket } from 'node:net'
import type { Address } from '../core/address.ts'

/** The address on which a socket listens that was opened as if it were a connection; null for an actual connection or a non-TCP socket. */
export function listeningAddress({ localAddress, localPort, remoteAddress }: Socket): Address | null {
  if (localAddress === undefined || localPort === undefined || remoteAddress !== undefined) return null
  return { host: localAddress, port: localPort }
}
