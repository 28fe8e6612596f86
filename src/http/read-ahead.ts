import { Budget } from './body.ts'

/** Limit of bytes buffered of one reply for a client that is slow to take them. */
const AHEAD = 1_048_576

/** Overhead counted for each chunk in addition to its bytes, in bytes: chunks may be tiny. */
const PER_CHUNK = 256

/** Per thread: bytes buffered for all clients. */
const shared = new Budget(64 * 1024 ** 2)

/** What a connection may buffer of a reply, so that its source need not wait for a slow client. */
export class ReadAhead {
  private readonly budget: Budget
  private client: string
  private held = 0

  constructor(client: string, budget = shared) {
    this.client = client
    this.budget = budget
  }

  /**
   * The next reply is for the client of that address: a connection may carry requests of many clients. What is still
   * buffered remains charged to the previous one.
   */
  isFor(client: string): void {
    if (this.held === 0) this.client = client
  }

  /** Reserves room for a chunk of that many bytes; false where it may not be buffered. */
  take(bytes: number): boolean {
    const cost = bytes + PER_CHUNK
    if (this.held + cost > AHEAD || !this.budget.take(cost, this.client)) return false
    this.held += cost
    return true
  }

  /** Nothing is buffered any more. */
  release(): void {
    if (this.held === 0) return
    this.budget.giveBack(this.held, this.client)
    this.held = 0
  }
}
