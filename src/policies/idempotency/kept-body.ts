import { type BodySink, type BodyStream, Budget } from '../../http/body.ts'
import type { Headers } from '../../http/headers.ts'

const NOTHING = Buffer.alloc(0)

/** Per thread: how many bytes of bodies may be buffered while they arrive. */
const shared = new Budget(64 * 1024 ** 2)

/** Receives the whole body, or null if it cannot be kept; the client sees the end of the body once this resolves. */
export type TakeBody = (body: Buffer | null) => Promise<void>

/**
 * Keeps a copy of a body that is streamed to the client, and continues without the client: the rest is read to its end. The copy is
 * given up as soon as the body exceeds the limit, has trailers, is interrupted, or the budget is exhausted.
 */
export class KeptBody implements BodyStream, BodySink {
  readonly length: number
  private readonly source: BodyStream
  private readonly limit: number
  private readonly client: string
  private readonly budget: Budget
  private take: TakeBody | null
  private sink: BodySink | null = null
  private piped = false
  /** The source waits for `resume`. */
  private paused = false
  private left = false
  private bytes: Buffer = NOTHING
  private size = 0
  /** The last chunk of a body of known length: the client must not have the whole body before it has been stored. */
  private last: Buffer | null = null

  /** Keeps at most `limit` bytes, charged to the client with that address. */
  constructor(source: BodyStream, limit: number, client: string, take: TakeBody, budget: Budget = shared) {
    this.source = source
    this.length = source.length
    this.limit = limit
    this.client = client
    this.take = take
    this.budget = budget
  }

  // To the client

  pipe(sink: BodySink): void {
    this.sink = sink
    this.begin()
  }

  resume(): void {
    // Data held back is written after the source has ended.
    if (!this.paused) return
    this.paused = false
    this.source.resume()
  }

  cancel(): void {
    this.sink = null
    this.left = true
    if (this.take === null) return this.source.cancel()
    if (!this.piped) this.begin()
    else this.resume()
  }

  // From the source

  write(chunk: Buffer): boolean {
    if (this.take !== null && !this.keep(chunk)) void this.settle(null)
    if (this.left) {
      // Neither the client nor the copy needs it any more.
      if (this.take === null) this.source.cancel()
      return true
    }
    if (this.take !== null && this.size === this.length) {
      this.last = this.bytes.subarray(this.size - chunk.length, this.size)
      return true
    }
    if (this.sink?.write(chunk) === true) return true
    this.paused = true
    return false
  }

  end(trailers: Headers | null): void {
    const whole = trailers === null && (this.length < 0 || this.size === this.length)
    void this.settle(whole ? this.bytes.subarray(0, this.size) : null).then(() => {
      if (this.last !== null) this.sink?.write(this.last)
      this.sink?.end(trailers)
    })
  }

  fail(error: Error): void {
    void this.settle(null)
    this.sink?.fail(error)
  }

  private begin(): void {
    this.piped = true
    this.source.pipe(this)
  }

  /** Whether there was room for the chunk. */
  private keep(chunk: Buffer): boolean {
    const size = this.size + chunk.length
    if (size > this.limit || !this.makeRoom(size)) return false
    chunk.copy(this.bytes, this.size)
    this.size = size
    return true
  }

  private makeRoom(size: number): boolean {
    const { bytes } = this
    if (size <= bytes.length) return true
    const room = Math.max(size, this.length, Math.min(this.limit, 2 * bytes.length))
    if (!this.budget.take(room - bytes.length, this.client)) return false
    this.bytes = Buffer.allocUnsafeSlow(room)
    bytes.copy(this.bytes)
    return true
  }

  private async settle(body: Buffer | null): Promise<void> {
    const { take } = this
    this.take = null
    if (take === null) return
    this.budget.giveBack(this.bytes.length, this.client)
    if (body === null) this.bytes = NOTHING
    await take(body)
  }
}
