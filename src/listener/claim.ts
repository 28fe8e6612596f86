import { createServer, isIP, isIPv6 } from 'node:net'
import { type Address, formatAddress } from '../core/address.ts'
import { codeOf } from '../core/error-facts.ts'
import { canonicalAddress, plainAddress } from '../core/plain-address.ts'

/** A socket cannot listen on an address; the message says what to do about it. */
class ListenError extends Error {
  readonly code: string

  constructor(code: string, address: Address, reason: string, cause: unknown) {
    super(`${WHAT[code] ?? code}: ${formatAddress(address)}: ${reason}`, { cause })
    this.code = code
  }
}

const IN_USE = 'EADDRINUSE'

const WHAT: Readonly<Record<string, string>> = {
  [IN_USE]: 'address already in use',
  EACCES: 'no permission to listen',
  EADDRNOTAVAIL: 'address not available',
}

const ADVICE: Readonly<Record<string, string>> = {
  [IN_USE]: 'another process listens there, perhaps another gateway; stop it, or change listeners',
  EACCES: 'ports below 1024 need CAP_NET_BIND_SERVICE; grant it, or use a higher port',
  EADDRNOTAVAIL: 'this machine has no interface with that address; change listeners',
}

/**
 * Makes sure that no other process listens on the address, even one that shares the port: the system would distribute
 * the connections between them. Rejects with the system's error, or with one that says what to
 * do.
 */
export function claim({ host, port }: Address): Promise<void> {
  if (port === 0) return Promise.resolve()
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error) => reject(explained({ host, port }, error)))
    server.listen({ host, port }, () => void server.close(() => resolve()))
  })
}

/** The error itself, or one that says what to do, where that is known. */
export function explained(address: Address, error: Error): Error {
  const code = codeOf(error) ?? ''
  const advice = ADVICE[code]
  return advice === undefined ? error : new ListenError(code, address, advice, error)
}

/** The same where the gateway itself listens on another address that includes this one. */
export function inUseByOwn(error: unknown, address: Address, own: Address): unknown {
  if (codeOf(error) !== IN_USE) return error
  const reason = `the gateway itself listens on ${formatAddress(own)}; remove that listener first, then add this one`
  return new ListenError(IN_USE, address, reason, error)
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
