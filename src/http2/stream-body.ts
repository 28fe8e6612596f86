import { type BodySink, type BodyStream, Budget } from '../http/body.ts'
import type { Headers } from '../http/headers.ts'
import { GatewayError } from '../core/errors.ts'

/** The stream that a body arrives on. */
export interface BodyOwner {
  /** A consumer has called `pipe`. */
  bodyWanted(): void
  /** That many bytes are no longer held: as many more may be sent. */
  bodyTaken(bytes: number): void
  /** More has to come from the peer. */
  bodyAwaitsPeer(): void
  /** Nothing is awaited from the peer, for now or at all. */
  bodyRests(): void
  /** The consumer wants no more of it. */
  bodyAbandoned(): void
}

export interface StreamBodyOptions {
  readonly length: number
  readonly client: string
  readonly limit: number
  readonly overLimit: () => Error
  readonly budget?: Budget
}

/** Size in bytes up to which small pieces are merged. */
const BLOCK = 16_384

/** Per thread: bytes of all bodies that have not been consumed yet. */
const shared = new Budget(128 * 1024 ** 2)

/**
 * The content of a message that is still arriving. What has not been consumed yet is held, limited by the window of the
 * stream: the peer may send more once it is consumed.
 */
export class StreamBody implements BodyStream {
  readonly length: number
  /** Bytes of content so far. */
  received = 0
  /** All of it has arrived. */
  arrived = false

  private readonly owner: BodyOwner
  private readonly limit: number
  private readonly overLimit: () => Error
  private readonly client: string
  private readonly budget: Budget
  private sink: BodySink | null = null
  private readonly queued: Buffer[] = []
  private queuedBytes = 0
  /** The buffer that the last piece is part of; the rest of it is free. */
  private block: Buffer | null = null
  /** Size of the chunk that the sink still uses. */
  private lent = 0
  private delivering = false
  private finished = false
  private trailers: Headers | null = null
  private error: Error | null = null

  /**
   * `length` is the announced length in bytes, or -1 where it is not known; what is held is charged to the client of
   * that address. Fails with `overLimit()` once more than `limit` bytes have arrived.
   */
  constructor(owner: BodyOwner, { length, client, limit, overLimit, budget = shared }: StreamBodyOptions) {
    this.owner = owner
    this.length = length
    this.client = client
    this.limit = limit
    this.overLimit = overLimit
    this.budget = budget
  }

  /** Whether it has a sink and has not failed: it will be read to its end. */
  get flowing(): boolean {
    return this.sink !== null && this.error === null
  }

  /** Whether nothing more of it will be delivered. */
  get over(): boolean {
    return this.finished || this.error !== null
  }

  /** Bytes that have not been consumed yet. */
  get held(): number {
    return this.queuedBytes + this.lent
  }

  /** Content has arrived; it is lent. */
  push(content: Buffer): void {
    const { length } = content
    this.received += length
    if (this.error !== null || this.finished) return this.owner.bodyTaken(length)
    if (this.received > this.limit) return this.refuse(this.overLimit(), length)
    if (!this.budget.take(length, this.client))
      return this.refuse(
        new GatewayError('too-busy', 'The gateway is receiving too many bodies at once. Try again later.'),
        length,
      )
    this.keep(content)
    this.queuedBytes += length
    if (this.sink === null) this.owner.bodyRests()
    else this.deliver(this.sink)
  }

  /** All of it has arrived. */
  complete(trailers: Headers | null): void {
    this.arrived = true
    this.trailers = trailers
    this.owner.bodyRests()
    if (this.sink !== null) this.deliver(this.sink)
  }

  /** The body will not be completed; fails the sink, now or once there is one. */
  fail(error: Error): void {
    if (this.error !== null || this.finished) return
    this.error = error
    this.forget()
    this.owner.bodyRests()
    this.sink?.fail(error)
  }

  /** The exchange has ended: a body without a consumer will not get one, and is discarded. */
  exchangeOver(): void {
    if (this.sink !== null || this.over) return
    this.error = new Error('the exchange of the body is over')
    this.forget()
  }

  pipe(sink: BodySink): void {
    this.sink = sink
    if (this.error !== null) return sink.fail(this.error)
    this.owner.bodyWanted()
    this.deliver(sink)
  }

  resume(): void {
    this.giveBack()
    if (this.sink !== null) this.deliver(this.sink)
  }

  /** Chunks are copies, so the sink may keep them. */
  leave(): boolean {
    return this.delivering
  }

  cancel(): void {
    if (this.finished || this.error !== null) return
    this.error = new Error('the consumer wants no more of the body')
    this.forget()
    this.owner.bodyAbandoned()
  }

  private deliver(sink: BodySink): void {
    if (this.delivering) return
    this.delivering = true
    for (let chunk = this.next(); chunk !== undefined; chunk = this.next()) {
      this.lent = chunk.length
      if (!sink.write(chunk)) break
      this.giveBack()
    }
    this.delivering = false
    if (this.finished || this.error !== null || this.lent > 0) return this.owner.bodyRests()
    if (!this.arrived) return this.owner.bodyAwaitsPeer()
    this.finished = true
    sink.end(this.trailers)
  }

  /** Merges pieces that wait into one buffer: they may be tiny, and each would cost far more than its bytes. */
  private keep(content: Buffer): void {
    const { queued } = this
    const before = queued.at(-1)
    const length = content.length + (before?.length ?? 0)
    if (before === undefined || length > BLOCK) {
      queued.push(Buffer.from(content))
      this.block = null
      return
    }
    if (this.block === null || length > this.block.length) {
      this.block = Buffer.allocUnsafeSlow(Math.min(BLOCK, 2 * length))
      before.copy(this.block)
    }
    content.copy(this.block, before.length)
    queued[queued.length - 1] = this.block.subarray(0, length)
  }

  private next(): Buffer | undefined {
    if (this.lent > 0 || this.error !== null) return undefined
    const chunk = this.queued.shift()
    if (this.queued.length === 0) this.block = null
    this.queuedBytes -= chunk?.length ?? 0
    return chunk
  }

  private consumed(bytes: number): void {
    if (bytes === 0) return
    this.budget.giveBack(bytes, this.client)
    this.owner.bodyTaken(bytes)
  }

  private refuse(error: Error, bytes: number): void {
    this.owner.bodyTaken(bytes)
    this.fail(error)
  }

  /** The lent chunk is no longer in use. */
  private giveBack(): void {
    const { lent } = this
    this.lent = 0
    this.consumed(lent)
  }

  /** Discards everything, including the lent chunk, which a failed sink would not release; it is a copy. */
  private forget(): void {
    this.giveBack()
    const bytes = this.queuedBytes
    this.queued.length = this.queuedBytes = 0
    this.block = null
    this.consumed(bytes)
  }
}
