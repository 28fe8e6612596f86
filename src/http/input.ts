/** Consumes what was read from a connection. */
export interface InputConsumer {
  /** Returns the offset after the last byte it consumed; the rest is kept until more arrives, or until `again`. */
  consume(bytes: Buffer, start: number, end: number): number
}

/**
 * Bytes that a connection has read but not yet used: at most one incomplete head, or what was read together with it.
 */
export class Input {
  private readonly consumer: InputConsumer
  private unread: Buffer | null = null
  private running = false

  constructor(consumer: InputConsumer) {
    this.consumer = consumer
  }

  /** Number of bytes kept. */
  get length(): number {
    return this.unread === null ? 0 : this.unread.length
  }

  /** Whether the consumer is being called right now. */
  get busy(): boolean {
    return this.running
  }

  /** Adds lent bytes without passing them to the consumer. */
  keep(bytes: Buffer): void {
    this.unread = Buffer.concat(this.unread === null ? [bytes] : [this.unread, bytes])
  }

  /** Bytes have arrived, up to `end`; they are only lent. */
  feed(bytes: Buffer, end: number): void {
    const { unread } = this
    if (unread === null) return this.run(bytes, end)
    this.unread = null
    this.run(Buffer.concat([unread, bytes.subarray(0, end)]), unread.length + end)
  }

  /** The consumer may now be able to use what is kept; has no effect while the consumer is being called. */
  again(): void {
    const { unread } = this
    if (this.running || unread === null) return
    this.unread = null
    this.run(unread, unread.length)
  }

  /** Removes and returns what is kept. */
  take(): Buffer | null {
    const { unread } = this
    this.unread = null
    return unread
  }

  private run(bytes: Buffer, end: number): void {
    let at = 0
    this.running = true
    while (at < end) {
      const next = this.consumer.consume(bytes, at, end)
      if (next === at) {
        this.unread = Buffer.from(bytes.subarray(at, end))
        break
      }
      at = next
    }
    this.running = false
  }
}
