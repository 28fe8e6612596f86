import { GatewayError } from './errors.ts'
import { Turns } from './turns.ts'

/** Passwords that one thread has verified or waiting, of all clients and of one address. */
const MOST = 64
const MOST_OF_ADDRESS = 8

/**
 * Verifies one password after the other in a thread, as each takes memory and a core for a while. The others wait, a bounded number of them:
 * few of one address, so that nobody fills the places of all.
 */
export class PasswordTurns {
  private readonly turns = new Turns()
  /** Address -> how many it has here. */
  private readonly shares = new Map<string, number>()

  /** Resolves or rejects as `verify` does, in its turn. Throws GatewayError 'too-busy' where there are too many. */
  take<Result>(address: string, verify: () => Promise<Result>): Promise<Result> {
    const share = this.shares.get(address) ?? 0
    if (this.turns.length >= MOST || share >= MOST_OF_ADDRESS)
      throw new GatewayError('too-busy', 'Too many passwords are waiting to be verified. Try again in a second.', {
        headers: [['Retry-After', '1']],
      })
    this.shares.set(address, share + 1)
    return this.turns.take(verify).finally(() => {
      const left = (this.shares.get(address) ?? 1) - 1
      if (left > 0) this.shares.set(address, left)
      else this.shares.delete(address)
    })
  }
}
