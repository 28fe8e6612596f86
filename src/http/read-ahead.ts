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
  private held = 0

  constructor(budget = shared) {
    this.budget = budget
  }

  /** Whether a chunk of so many octets more may be kept. */
  take(octets: number): boolean {
    const cost = octets + PER_CHUNK
    if (this.held + cost > AHEAD || !this.budget.take(cost)) return false
    this.held += cost
    return true
  }

  /** Nothing is kept any more. */
  release(): void {
    if (this.held === 0) return
    this.budget.giveBack(this.held)
    this.held = 0
  }
}
