import { Budget } from './body.ts'

/** Octets of one reply that are kept for a client that does not take them yet. */
const AHEAD = 1_048_576

/** What a chunk costs besides its octets, in octets: these may be few. */
const PER_CHUNK = 256

/** Of a thread: octets that are kept for all clients. */
const shared = new Budget(64 * 1024 ** 2)

/** What a connection may keep of a reply, so that whoever the reply is read from need not wait for a slow client. */
export class ReadAhead {
  private readonly budget: Budget
  private client: string
  private held = 0

  constructor(client: string, budget = shared) {
    this.client = client
    this.budget = budget
  }

  /** The next reply is for the client of that address: a connection may carry requests of many. What is still kept stays on its account. */
  isFor(client: string): void {
    if (this.held === 0) this.client = client
  }

  /** Whether a chunk of so many octets more may be kept. */
  take(octets: number): boolean {
    const cost = octets + PER_CHUNK
    if (this.held + cost > AHEAD || !this.budget.take(cost, this.client)) return false
    this.held += cost
    return true
  }

  /** Nothing is kept any more. */
  release(): void {
    if (this.held === 0) return
    this.budget.giveBack(this.held, this.client)
    this.held = 0
  }
}
