import { WINDOW, windowUpdateFrame } from './frames.ts'
import type { Output } from './output.ts'

/** Octets that the window of a stream may become. */
export const LARGEST_ROOM = 16 * WINDOW

/** The window of a stream for what its peer sends (RFC 9113 section 5.2): it grows while all is taken as it comes. */
export class StreamRoom {
  private readonly id: number
  private readonly output: Output
  /** Octets that the peer may still send, and as many as that may become. */
  private left = WINDOW
  private most = WINDOW
  /** What was taken, and the peer does not know. */
  private unreported = 0

  constructor(id: number, output: Output) {
    this.id = id
    this.output = output
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
    if (flowing && this.most < LARGEST_ROOM && this.left + this.unreported === this.most) {
      this.unreported += this.most
      this.most *= 2
    }
    this.left += this.unreported
    this.output.put(windowUpdateFrame(this.id, this.unreported))
    this.unreported = 0
  }
}
