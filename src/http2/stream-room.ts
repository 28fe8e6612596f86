import { Budget } from '../http/body.ts'
import { WINDOW, windowUpdateFrame } from './frames.ts'
import type { Output } from './output.ts'

/** Octets that the window of a stream may become. */
export const LARGEST_ROOM = 16 * WINDOW

/**
 * Of a thread: octets by which all windows together may be larger than at first. What was promised may come and be held, so that whoever has
 * many windows grow, and then takes nothing, leaves room for what others hold.
 */
const shared = new Budget(48 * 1024 ** 2)

/** The window of a stream for what its peer sends (RFC 9113 section 5.2): it grows while all is taken as it comes. */
export class StreamRoom {
  private readonly id: number
  private readonly output: Output
  private readonly client: string
  private readonly budget: Budget
  /** Octets that the peer may still send, and as many as that may become. */
  private left = WINDOW
  private most = WINDOW
  /** What was taken, and the peer does not know. */
  private unreported = 0

  /** What it grows by is on the account of the client of that address. */
  constructor(id: number, output: Output, client: string, budget = shared) {
    this.id = id
    this.output = output
    this.client = client
    this.budget = budget
  }

  /** So many octets have come; false where there was no room for them. */
  receives(octets: number): boolean {
    this.left -= octets
    return this.left >= 0
  }

  /** So many octets were taken, by somebody who goes on taking them where it is `flowing`. */
  taken(octets: number, flowing: boolean): void {
    this.unreported += octets
    if (this.unreported < this.most / 2) return
    const isAll = flowing && this.left + this.unreported === this.most
    if (isAll && this.most < LARGEST_ROOM && this.budget.take(this.most, this.client)) {
      this.unreported += this.most
      this.most *= 2
    }
    this.left += this.unreported
    this.output.put(windowUpdateFrame(this.id, this.unreported))
    this.unreported = 0
  }

  /** Nothing more comes, and nothing of what has come is held. */
  release(): void {
    if (this.most > WINDOW) this.budget.giveBack(this.most - WINDOW, this.client)
    this.most = WINDOW
  }
}
