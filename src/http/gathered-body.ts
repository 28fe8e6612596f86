import { type BodySink, type BodyStream, Budget, Bytes } from './body.ts'
import type { Headers } from './headers.ts'

/** Octets of a body that are awaited before it is passed on, unless somebody says another number. */
export const GATHERED = 65_536

/** Octets of all bodies that are awaited at a time, for each thread. */
export const MOST_GATHERED = 64 * 1024 ** 2

const NOTHING = Buffer.alloc(0)

/** Of a thread: octets of all bodies that are gathered and not yet passed on. */
export const gatheredBodies = new Budget(MOST_GATHERED)

/** Whoever waits for a body; told once. */
export interface Awaiting {
  /** As much of it is here as is waited for: all of it, as bytes, or the beginning, as the gathered body. */
  gathered(body: Bytes | GatheredBody): void
  /** It will not be completed. */
  broken(error: Error): void
}

/**
 * A body that is still arriving, held until all of it is here, or so many octets of it, or as many as the budget has
 * room for: whatever is needed to pass it on is taken up no sooner, as a sender may be slow.
 */
export class GatheredBody implements BodyStream, BodySink {
  readonly length: number
  private readonly source: BodyStream
  private readonly client: string
  private readonly budget: Budget
  private readonly most: number
  private awaiting: Awaiting | null = null
  private sink: BodySink | null = null
  /** What the sink is given next: what was kept, then the chunk that the source lends, then what comes. */
  private stage: 'kept' | 'lent' | 'coming' = 'kept'
  private kept: Buffer = NOTHING
  private size = 0
  private lent: Buffer | null = null
  /** The source is told by the answer to its write whether the chunk was taken. */
  private writing = false
  private ended = false
  private trailers: Headers | null = null
  private error: Error | null = null

  /** Nothing of it is read before `gather`; what is held then, `most` octets of it, is on the account of the client of that address. */
  constructor(source: BodyStream, client: string, budget = gatheredBodies, most = GATHERED) {
    this.source = source
    this.client = client
    this.budget = budget
    this.most = most
    this.length = source.length
  }

  /** Whether nothing of it has come yet. */
  get empty(): boolean {
    return this.size === 0 && this.lent === null
  }

  /** Begins; `awaiting` may be told before it returns. To be called once, before `pipe`. */
  gather(awaiting: Awaiting): void {
    this.awaiting = awaiting
    this.source.pipe(this)
  }

  /** What is here has to do. */
  begin(): void {
    const { awaiting } = this
    this.awaiting = null
    awaiting?.gathered(this)
  }

  /** What was gathered is not held for anybody any more: gives back its part of the budget. */
  release(): void {
    this.budget.giveBack(this.kept.length, this.client)
    this.kept = NOTHING
  }

  // From the source

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
    awaiting?.gathered(Bytes.fromBuffer(this.kept.subarray(0, this.size)))
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

  // To whoever takes it

  pipe(sink: BodySink): void {
    this.sink = sink
    if (this.error !== null) return sink.fail(this.error)
    if (this.size === 0 || sink.write(this.kept.subarray(0, this.size))) this.giveLent(sink)
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

  /** Whether there was room for the chunk. */
  private keep(chunk: Buffer): boolean {
    const { kept, size, length } = this
    const most = length < 0 ? this.most : Math.min(length, this.most)
    const end = size + chunk.length
    if (end > most) return false
    if (end > kept.length) {
      // One buffer that grows, not a list of chunks: these may be tiny, and each would cost far more than its octets.
      const room = Math.min(most, Math.max(end, 2 * kept.length))
      if (!this.budget.take(room - kept.length, this.client)) return false
      this.kept = Buffer.allocUnsafeSlow(room)
      kept.copy(this.kept, 0, 0, size)
    }
    chunk.copy(this.kept, size)
    this.size = end
    return true
  }
}
