import { GatewayError } from './errors.ts'
import { clientNetwork } from './client-network.ts'
import { Semaphore } from './semaphore.ts'

/** Maximum number of passwords that are being verified or waiting in one thread, in total and per client. */
const MAX = 64
const MAX_PER_CLIENT = 8

/**
 * Verifies passwords one at a time per thread, as each verification uses memory and a core for a while. A bounded number of others wait,
 * only a few per address, or per IPv6 /64 network, so that a single client cannot fill the queue.
 */
export class PasswordQueue {
  private readonly turns = new Semaphore()
  /** Address or network -> number of its entries in the queue. */
  private readonly shares = new Map<string, number>()

  /** Runs `verify` when its turn comes, and settles as it does. Throws GatewayError 'too-busy' if the queue is full. */
  take<Result>(address: string, verify: () => Promise<Result>): Promise<Result> {
    const client = clientNetwork(address)
    const share = this.shares.get(client) ?? 0
    if (this.turns.length >= MAX || share >= MAX_PER_CLIENT)
      throw new GatewayError('too-busy', 'Too many passwords are waiting to be verified. Try again in a second.', {
        headers: [['Retry-After', '1']],
      })
    this.shares.set(client, share + 1)
    return this.turns.run(verify).finally(() => {
      const left = (this.shares.get(client) ?? 1) - 1
      if (left > 0) this.shares.set(client, left)
      else this.shares.delete(client)
    })
  }
}
