import { Budget } from '../core/body.ts'

/** Octets of one reply that are kept for a client that does not take them yet. */
const AHEAD = 1_048_576

/** Of a thread: octets that are kept for all clients. */
const shared = new Budget(64 * 1024 ** 2)

/** What a connection may keep of a reply, so that whoever the reply is read from need not wait for a slow client. */
export class ReadAhead {
  private readonly budget: Budget
  private held = 0

  constructor(budget = shared) {
    this.budget = budget
  }

  /** Whether so many octets more may be kept. */
  take(octets: number): boolean {
    if (this.held + octets > AHEAD || !this.budget.take(octets)) return false
    this.held += octets
    return true
  }

  /** Nothing is kept any more. */
  release(): void {
    if (this.held === 0) return
    this.budget.giveBack(this.held)
    this.held = 0
  }
}
