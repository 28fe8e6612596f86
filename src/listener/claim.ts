import { createServer, isIP, isIPv6 } from 'node:net'
import { type Address, formatAddress } from '../core/address.ts'
import { codeOf } from '../core/error-facts.ts'
import { canonicalAddress, plainAddress } from '../core/plain-address.ts'

/** An address is in use; the message says what to do about it. */
class AddressInUseError extends Error {
  readonly code = 'EADDRINUSE'

  constructor(address: Address, reason: string, cause: unknown) {
    super(`address already in use: ${formatAddress(address)}: ${reason}`, { cause })
  }
}

/**
 * Makes sure that no other process listens on the address, even one that shares the port: the system would distribute
 * the connections between them. Rejects with AddressInUseError, or with the system's error.
 */
export function claim({ host, port }: Address): Promise<void> {
  if (port === 0) return Promise.resolve()
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error) => reject(inUse({ host, port }, error)))
    server.listen({ host, port }, () => void server.close(() => resolve()))
  })
}

/** The error itself, or a more helpful one where the address is in use. */
export function inUse(address: Address, error: Error): Error {
  if (!isInUse(error)) return error
  const reason = 'another process listens there, perhaps another gateway; stop it, or change listeners'
  return new AddressInUseError(address, reason, error)
}

/** The same where the gateway itself listens on another address that includes this one. */
export function inUseByOwn(error: unknown, address: Address, own: Address): unknown {
  if (!isInUse(error)) return error
  const reason = `the gateway itself listens on ${formatAddress(own)}; remove that listener first, then add this one`
  return new AddressInUseError(address, reason, error)
}

function isInUse(error: unknown): boolean {
  return codeOf(error) === 'EADDRINUSE'
}

/** Whether sockets on the two addresses may conflict: same port, and the same host, a wildcard, or a host name. */
export function overlap(one: Address, other: Address): boolean {
  if (one.port !== other.port) return false
  const [a, b] = [canonical(one.host), canonical(other.host)]
  return a === b || isVague(a) || isVague(b)
}

/**
 * Whether a socket bound to `host` receives connections to `local`, unless a more specific one exists; both are IP
 * addresses.
 */
export function covers(host: string, local: string): boolean {
  const to = plainAddress(local)
  if (host === '::') return true
  return host === '0.0.0.0' ? !isIPv6(to) : plainAddress(host) === to
}

function isVague(host: string): boolean {
  return host === '0.0.0.0' || host === '::' || isIP(host) === 0
}

function canonical(host: string): string {
  return isIPv6(host) ? canonicalAddress(host, 'ipv6') : host
}
