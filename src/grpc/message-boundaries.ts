import { PREFIX } from './message-frame.ts'

/** Tracks where messages begin and end in the bytes of a body, without keeping any of them. */
export class MessageBoundaries {
  /** Bytes received of an incomplete prefix, and the length in it so far. */
  private prefixed = 0
  private length = 0
  /** Bytes outstanding of the current message. */
  private missing = 0

  /** Whether an incomplete message has begun. */
  get isPartial(): boolean {
    return this.prefixed > 0 || this.missing > 0
  }

  /** Processes all of the bytes. */
  follow(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) at = this.step(bytes, at)
  }

  /** Advances by one byte of a prefix, or by as much of a message as there is. */
  private step(bytes: Buffer, at: number): number {
    if (this.missing > 0) {
      const passed = Math.min(this.missing, bytes.length - at)
      this.missing -= passed
      return at + passed
    }
    // The first byte has flags; `at` is within bounds.
    if (this.prefixed > 0) this.length = this.length * 256 + bytes[at]!
    this.prefixed++
    if (this.prefixed < PREFIX) return at + 1
    this.missing = this.length
    this.prefixed = this.length = 0
    return at + 1
  }
}
