import { type BodySink, type BodyStream, Budget } from '../http/body.ts'
import type { Headers } from '../http/headers.ts'
import { GatewayError } from '../core/errors.ts'

/** The stream that a body comes in. */
export interface BodyOwner {
  /** Somebody takes the body. */
  bodyWanted(): void
  /** So many octets are no longer here: as many more may be sent. */
  bodyTaken(octets: number): void
  /** The next octet is for the peer to send, or for whoever takes the body to take. */
  bodyWaits(forPeer: boolean): void
  /** Whoever took it wants no more of it. */
  bodyAbandoned(): void
}

/** What there is to know of a body before it comes. */
export interface StreamBodyOptions {
  readonly length: number
  readonly client: string
  readonly limit: number
  readonly overLimit: () => Error
  readonly budget?: Budget
}

/** Octets of pieces that are kept as one. */
const BLOCK = 16_384

/** Of a thread: octets of all bodies that nobody has taken yet. */
const shared = new Budget(128 * 1024 ** 2)

/**
 * The content of a message that is still arriving. What nobody takes yet is kept, which the window of the stream bounds: the peer
 * may send more when that was taken.
 */
export class StreamBody implements BodyStream {
  readonly length: number
  /** Octets of content so far. */
  received = 0
  /** All of it has come. */
  arrived = false

  private readonly owner: BodyOwner
  private readonly limit: number
  private readonly overLimit: () => Error
  private readonly client: string
  private readonly budget: Budget
  private sink: BodySink | null = null
  private readonly kept: Buffer[] = []
  private keptOctets = 0
  /** What the last of these is a part of, the rest of which is free. */
  private block: Buffer | null = null
  /** Octets of the chunk that the sink still uses. */
  private lent = 0
  private delivering = false
  private finished = false
  private trailers: Headers | null = null
  private error: Error | null = null

  /**
   * `length` octets of it are to come, or -1 where that is not known; what is kept is on the account of the client of that address. Fails with
   * `overLimit()` once more than `limit` octets have come.
   */
  constructor(owner: BodyOwner, { length, client, limit, overLimit, budget = shared }: StreamBodyOptions) {
    this.owner = owner
    this.length = length
    this.client = client
    this.limit = limit
    this.overLimit = overLimit
    this.budget = budget
  }

  /** Whether somebody takes it and it has not failed: it will be read to its end. */
  get flowing(): boolean {
    return this.sink !== null && this.error === null
  }

  /** Whether nothing of it is for anybody any more. */
  get over(): boolean {
    return this.finished || this.error !== null
  }

  /** Octets that nobody has taken yet. */
  get held(): number {
    return this.keptOctets + this.lent
  }

  /** Content has come, which is lent. */
  push(content: Buffer): void {
    const { length } = content
    this.received += length
    if (this.error !== null || this.finished) return this.owner.bodyTaken(length)
    if (this.received > this.limit) return this.refuse(this.overLimit(), length)
    if (!this.budget.take(length, this.client))
      return this.refuse(new GatewayError('too-busy', 'There is no room for more bodies.'), length)
    this.keep(content)
    this.keptOctets += length
    if (this.sink === null) this.owner.bodyWaits(false)
    else this.deliver(this.sink)
  }

  /** All of it has come. */
  complete(trailers: Headers | null): void {
    this.arrived = true
    this.trailers = trailers
    this.owner.bodyWaits(false)
    if (this.sink !== null) this.deliver(this.sink)
  }

  /** It will not be completed; told to whoever takes it, now or later. */
  fail(error: Error): void {
    if (this.error !== null || this.finished) return
    this.error = error
    this.forget()
    this.owner.bodyWaits(false)
    this.sink?.fail(error)
  }

  /** Its exchange is over: where nobody has taken it by now, nobody will, and it holds no room. */
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

  /** Chunks are copies, so whoever takes one may have it. */
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
    if (this.finished || this.error !== null || this.lent > 0) return this.owner.bodyWaits(false)
    if (!this.arrived) return this.owner.bodyWaits(true)
    this.finished = true
    sink.end(this.trailers)
  }

  /** Pieces that wait share a buffer: they may be tiny, and each would cost far more than its octets. */
  private keep(content: Buffer): void {
    const { kept } = this
    const before = kept.at(-1)
    const length = content.length + (before?.length ?? 0)
    if (before === undefined || length > BLOCK) {
      kept.push(Buffer.from(content))
      this.block = null
      return
    }
    if (this.block === null || length > this.block.length) {
      this.block = Buffer.allocUnsafeSlow(Math.min(BLOCK, 2 * length))
      before.copy(this.block)
    }
    content.copy(this.block, before.length)
    kept[kept.length - 1] = this.block.subarray(0, length)
  }

  private next(): Buffer | undefined {
    if (this.lent > 0 || this.error !== null) return undefined
    const chunk = this.kept.shift()
    if (this.kept.length === 0) this.block = null
    this.keptOctets -= chunk?.length ?? 0
    return chunk
  }

  private taken(octets: number): void {
    if (octets === 0) return
    this.budget.giveBack(octets, this.client)
    this.owner.bodyTaken(octets)
  }

  private refuse(error: Error, octets: number): void {
    this.owner.bodyTaken(octets)
    this.fail(error)
  }

  /** What was lent is nobody's any more. */
  private giveBack(): void {
    const { lent } = this
    this.lent = 0
    this.taken(lent)
  }

  /** Nobody gives back what was lent to a sink that has failed, and it is a copy. */
  private forget(): void {
    this.giveBack()
    const octets = this.keptOctets
    this.kept.length = this.keptOctets = 0
    this.block = null
    this.taken(octets)
  }
}
