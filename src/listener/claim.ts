import { createServer, isIP, isIPv6 } from 'node:net'
import { type Address, formatAddress } from '../core/address.ts'
import { codeOf } from '../core/error-facts.ts'
import { canonicalAddress, plainAddress } from '../core/plain-address.ts'

/** An address is not to be had, in words that say what to do. */
class AddressInUseError extends Error {
  readonly code = 'EADDRINUSE'

  constructor(address: Address, reason: string, cause: unknown) {
    super(`address already in use: ${formatAddress(address)}: ${reason}`, { cause })
  }
}

/**
 * Makes sure that nobody listens on the address, not even somebody who would share it: the system gives part of the
 * connections to each of those who do. Rejects with AddressInUseError, or with what the system said.
 */
export function claim({ host, port }: Address): Promise<void> {
  if (port === 0) return Promise.resolve()
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error) => reject(inUse({ host, port }, error)))
    server.listen({ host, port }, () => void server.close(() => resolve()))
  })
}

/** The error itself, or one that says more where the address is taken. */
export function inUse(address: Address, error: Error): Error {
  if (!isInUse(error)) return error
  const reason = 'another process listens there, perhaps another gateway; stop it, or change listeners'
  return new AddressInUseError(address, reason, error)
}

/** The same where the gateway itself listens on another address that has this one too. */
export function inUseByOwn(error: unknown, address: Address, own: Address): unknown {
  if (!isInUse(error)) return error
  const reason = `the gateway itself listens on ${formatAddress(own)}; take that listener away first, and add this one then`
  return new AddressInUseError(address, reason, error)
}

function isInUse(error: unknown): boolean {
  return codeOf(error) === 'EADDRINUSE'
}

/** Whether a socket on one of the addresses may be in the way of one on the other: of the same port, and the same host, all hosts or a name. */
export function overlap(one: Address, other: Address): boolean {
  if (one.port !== other.port) return false
  const [a, b] = [canonical(one.host), canonical(other.host)]
  return a === b || isVague(a) || isVague(b)
}

/** Whether a socket that is bound to `host` has connections to `local`, unless another one is more exact: both are IP addresses. */
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
