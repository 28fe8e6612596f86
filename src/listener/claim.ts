import { createServer } from 'node:net'
import { type Address, formatAddress } from '../core/address.ts'

/** An address is not to be had, in words that say what to do. */
class AddressInUseError extends Error {
  readonly code = 'EADDRINUSE'

  constructor(address: Address, cause: unknown) {
    super(
      `address already in use: ${formatAddress(address)}: another process listens there, perhaps another gateway; stop it, or change listeners`,
      { cause },
    )
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
  return 'code' in error && error.code === 'EADDRINUSE' ? new AddressInUseError(address, error) : error
}
