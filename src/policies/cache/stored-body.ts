import { type Body, type BodySink, type BodyStream, Budget, type Bytes } from '../../http/body.ts'

/** Stored bodies up to this size in bytes are sent at once; longer ones are streamed at the pace of the client. */
export const AT_ONCE = 65_536

/** Per thread: how many bytes of stored bodies may be in use by streams. */
const MAX_STREAMED = 256 * 1024 ** 2

/** A body in use by streams. */
interface Use {
  /** The client that it is charged to: the first one. */
  readonly client: string
  readonly bytes: number
  streams: number
}

/**
 * Sends stored bodies. A body stays in memory for as long as a client receives it, even if the store has evicted it: large ones are charged
 * to a budget, once for all clients that receive them at the same time.
 */
export class BodySender {
  private readonly budget: Budget
  private readonly maxCharge: number
  /** By the memory in which the bodies are. */
  private readonly uses = new Map<ArrayBufferLike, Use>()

  /** `most`: bytes in use at a time. A body above an eighth of it counts as an eighth, so that there is room for any body. */
  constructor(most: number = MAX_STREAMED) {
    this.budget = new Budget(most)
    this.maxCharge = most / 8
  }

  /** Whether the client may have a body now: always, unless it is large and clients receive too many others at the same time. */
  hasRoomFor(body: Bytes | null, client: string): boolean {
    if (body === null || body.length <= AT_ONCE || this.uses.has(body.toBuffer().buffer)) return true
    return this.budget.hasRoomFor(this.chargeOf(body.length), client)
  }

  /** Prepares a stored body, or a part of one, for sending to a client. */
  prepare(body: Bytes | null, client: string): Body {
    if (body === null || body.length <= AT_ONCE) return body
    const bytes = body.toBuffer()
    return new StoredStream(bytes, () => this.use(bytes.buffer, client))
  }

  /** Returns what ends the use. */
  private use(memory: ArrayBufferLike, client: string): () => void {
    const known = this.uses.get(memory)
    const use = known ?? { client, bytes: this.charge(memory.byteLength, client), streams: 0 }
    use.streams++
    if (known === undefined) this.uses.set(memory, use)
    return () => {
      if (--use.streams > 0) return
      this.uses.delete(memory)
      this.budget.giveBack(use.bytes, use.client)
    }
  }

  private charge(length: number, client: string): number {
    const bytes = this.chargeOf(length)
    return this.budget.take(bytes, client) ? bytes : 0
  }

  private chargeOf(length: number): number {
    return Math.min(length, this.maxCharge)
  }
}

class StoredStream implements BodyStream {
  readonly length: number
  private readonly bytes: Buffer
  private readonly begin: () => () => void
  private at = 0
  private sink: BodySink | null = null
  private release: (() => void) | null = null

  /** `begin` is called when the client begins to receive it, and returns what to call when it stops. */
  constructor(bytes: Buffer, begin: () => () => void) {
    this.bytes = bytes
    this.length = bytes.length
    this.begin = begin
  }

  pipe(sink: BodySink): void {
    this.sink = sink
    this.release = this.begin()
    this.resume()
  }

  resume(): void {
    while (this.sink !== null && this.at < this.length) {
      const chunk = this.bytes.subarray(this.at, this.at + AT_ONCE)
      this.at += chunk.length
      if (!this.sink.write(chunk)) return
    }
    const { sink } = this
    this.stop()
    sink?.end(null)
  }

  cancel(): void {
    this.stop()
  }

  private stop(): void {
    this.sink = null
    this.release?.()
    this.release = null
  }
}
