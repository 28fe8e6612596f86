import { Budget } from '../http/body.ts'
import { WINDOW, windowUpdateFrame } from './frames.ts'
import type { Output } from './output.ts'

/** Maximum size of a stream's window, in bytes. */
export const MAX_ROOM = 16 * WINDOW

/**
 * Per thread: by how many bytes all windows together may exceed their initial sizes. Bytes that a window allows may
 * arrive and have to be held, so this limits the memory of clients that have many windows grow and then take nothing.
 */
const shared = new Budget(48 * 1024 ** 2)

/**
 * The flow-control window of a stream for what its peer sends (RFC 9113 section 5.2): it grows while data is consumed
 * as it arrives.
 */
export class StreamRoom {
  private readonly id: number
  private readonly output: Output
  private readonly client: string
  private readonly budget: Budget
  /** Bytes that the peer may still send, and the current size of the window. */
  private left = WINDOW
  private most = WINDOW
  /** Bytes consumed that have not been reported to the peer. */
  private unreported = 0

  /** Growth is charged to the client of that address. */
  constructor(id: number, output: Output, client: string, budget = shared) {
    this.id = id
    this.output = output
    this.client = client
    this.budget = budget
  }

  /** Counts received bytes; false where there was no room for them. */
  receives(bytes: number): boolean {
    this.left -= bytes
    return this.left >= 0
  }

  /** Counts consumed bytes; `flowing` says that the consumer keeps consuming. */
  consumed(bytes: number, flowing: boolean): void {
    this.unreported += bytes
    if (this.unreported < this.most / 2) return
    const isAll = flowing && this.left + this.unreported === this.most
    if (isAll && this.most < MAX_ROOM && this.budget.take(this.most, this.client)) {
      this.unreported += this.most
      this.most *= 2
    }
    this.left += this.unreported
    this.output.put(windowUpdateFrame(this.id, this.unreported))
    this.unreported = 0
  }

  /** Gives back the growth: nothing more arrives, and nothing is held. */
  release(): void {
    if (this.most > WINDOW) this.budget.giveBack(this.most - WINDOW, this.client)
    this.most = WINDOW
  }
}
