import { type BodySink, type BodyStream, Budget, Bytes } from './body.ts'
import type { Headers } from './headers.ts'

/** Default number of bytes of a body to wait for before it is passed on. */
export const DEFAULT_BUFFER_SIZE = 65_536

/** Limit per thread for all bodies being gathered at a time, in bytes. */
export const MAX_BUFFERED = 64 * 1024 ** 2

const NOTHING = Buffer.alloc(0)

/** Per thread: bytes of all bodies that are gathered and not yet passed on. */
export const bufferedBodies = new Budget(MAX_BUFFERED)

/** Waits for a body; exactly one of the two methods is called, once. */
export interface BufferingListener {
  /** Enough of the body has arrived: all of it, as bytes, or its beginning, as the gathered body. */
  buffered(body: Bytes | BufferedBody): void
  /** The body will not be completed. */
  broken(error: Error): void
}

/**
 * A body that is still arriving, held back until it is complete, or a given number of bytes has arrived, or the budget
 * is exhausted: resources for passing it on are not claimed before that, as the sender may be slow.
 */
export class BufferedBody implements BodyStream, BodySink {
  readonly length: number
  private readonly source: BodyStream
  private readonly client: string
  private readonly budget: Budget
  private readonly most: number
  private awaiting: BufferingListener | null = null
  private sink: BodySink | null = null
  /** What the sink receives next: the kept bytes, then the chunk lent by the source, then new chunks. */
  private stage: 'kept' | 'lent' | 'coming' = 'kept'
  private buffered: Buffer = NOTHING
  private size = 0
  private lent: Buffer | null = null
  /** A `write` of the source is in progress: its return value will say whether the chunk was taken. */
  private writing = false
  private ended = false
  private trailers: Headers | null = null
  private error: Error | null = null

  /**
   * Nothing is read before `gather`; the up to `most` bytes that are then held are charged to the client of that
   * address.
   */
  constructor(source: BodyStream, client: string, budget = bufferedBodies, most = DEFAULT_BUFFER_SIZE) {
    this.source = source
    this.client = client
    this.budget = budget
    this.most = most
    this.length = source.length
  }

  /** Whether nothing has arrived yet. */
  get empty(): boolean {
    return this.size === 0 && this.lent === null
  }

  /** Begins reading; `awaiting` may be called before this returns. To be called once, before `pipe`. */
  buffer(awaiting: BufferingListener): void {
    this.awaiting = awaiting
    this.source.pipe(this)
  }

  /** Stops waiting: what has arrived has to suffice. */
  begin(): void {
    const { awaiting } = this
    this.awaiting = null
    awaiting?.buffered(this)
  }

  /** Returns the share of the budget: the gathered bytes are no longer needed. */
  release(): void {
    this.budget.giveBack(this.buffered.length, this.client)
    this.buffered = NOTHING
  }

  // Called by the source.

  write(chunk: Buffer): boolean {
    if (this.stage === 'coming') return this.sink?.write(chunk) ?? false
    if (this.awaiting !== null && this.keep(chunk)) return true
    this.lent = chunk
    this.writing = true
    this.begin()
    this.writing = false
    return this.lent === null
  }

  end(trailers: Headers | null): void {
    if (this.stage === 'coming') return this.sink?.end(trailers)
    this.ended = true
    this.trailers = trailers
    if (trailers !== null) return this.begin()
    const { awaiting } = this
    this.awaiting = null
    awaiting?.buffered(Bytes.fromBuffer(this.buffered.subarray(0, this.size)))
  }

  fail(error: Error): void {
    const { awaiting, sink } = this
    this.error = error
    this.awaiting = this.lent = null
    this.stage = 'coming'
    this.release()
    awaiting?.broken(error)
    sink?.fail(error)
  }

  // Called by the consumer.

  pipe(sink: BodySink): void {
    this.sink = sink
    if (this.error !== null) return sink.fail(this.error)
    if (this.size === 0 || sink.write(this.buffered.subarray(0, this.size))) this.giveLent(sink)
  }

  resume(): void {
    const { sink } = this
    if (this.stage === 'coming' || sink === null) return this.source.resume()
    if (this.stage === 'lent') this.goOn(sink)
    else this.giveLent(sink)
  }

  cancel(): void {
    this.awaiting = this.lent = null
    this.stage = 'coming'
    this.release()
    this.source.cancel()
  }

  private giveLent(sink: BodySink): void {
    this.release()
    this.stage = 'lent'
    if (this.lent === null || sink.write(this.lent)) this.goOn(sink)
  }

  private goOn(sink: BodySink): void {
    const { lent, ended } = this
    this.stage = 'coming'
    this.lent = null
    if (lent !== null && !this.writing) this.source.resume()
    if (ended) sink.end(this.trailers)
  }

  /** Keeps a copy of the chunk; false where there is no room. */
  private keep(chunk: Buffer): boolean {
    const { buffered, size, length } = this
    const most = length < 0 ? this.most : Math.min(length, this.most)
    const end = size + chunk.length
    if (end > most) return false
    if (end > buffered.length) {
      // A single growing buffer, not a list of chunks: chunks may be tiny, and each would cost far more than its bytes.
      const room = Math.min(most, Math.max(end, 2 * buffered.length))
      if (!this.budget.take(room - buffered.length, this.client)) return false
      this.buffered = Buffer.allocUnsafeSlow(room)
      buffered.copy(this.buffered, 0, 0, size)
    }
    chunk.copy(this.buffered, size)
    this.size = end
    return true
  }
}
