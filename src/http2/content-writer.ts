import type { BodySink, BodyStream } from '../http/body.ts'
import type { ReadAhead } from '../http/read-ahead.ts'
import { BULK, giveBack } from '../http/read-buffers.ts'
import type { Headers } from '../http/headers.ts'

/** The stream that a message is sent on. */
export interface ContentOwner {
  /** Whether anything may be written now. */
  readonly canWrite: boolean
  /** Writes the head as HEADERS; where that is the whole message (`alone`), they end the stream. */
  writeHead(head: string, alone: boolean): void
  /**
   * Writes as much of the content as may be sent now as DATA, starting at its beginning. Where that is all of it and
   * `last` is set, it ends the stream. Returns the number of bytes written, 0 where none may be sent. If they are still
   * in use after the call, `released` is called once they are not, or with the error of the socket.
   */
  writeContent(content: Buffer, last: boolean, released: (error?: Error | null) => void): number
  /** Whether what was written last is still in use. */
  readonly lending: boolean
  /** Ends the stream, with trailers where there are any. */
  writeEnd(trailers: Headers | null): void
  /** There is more to write than is allowed now: `advance` has to be called once it is. */
  contentWaits(): void
  /** All that is available was written; more is to come. */
  contentCaughtUp(): void
  /** The whole message was written. */
  contentWritten(): void
  /** The message cannot be completed. */
  contentFailed(error: Error): void
}

/** Writes a message whose content arrives piece by piece, or is more than may be sent at once. */
export class ContentWriter implements BodySink {
  /** Bytes of content written. */
  bytes = 0

  private readonly owner: ContentOwner
  /** Buffers data for a peer that takes no more; null: no buffering. */
  private readonly ahead: ReadAhead | null
  /** The head, until it is written; "" afterwards. */
  private head: string
  private readonly expected: number
  private source: BodyStream | null = null
  /** The source, kept after its end: it still waits for its last chunk to be released. */
  private lender: BodyStream | null = null
  /** What is to be written next; the last chunk may be lent by the source. */
  private readonly chunks: Buffer[] = []
  private received = 0
  /** The source waits for its last chunk to be written. */
  private lent = false
  private ended = false
  private trailers: Headers | null = null
  private over = false
  private advancing = false
  /** Read buffers that the source has handed over, for the pool once nothing in them is in use or to be written. */
  private readonly taken: { readonly buffer: Buffer; readonly end: number }[] = []
  /** The positions in the content where the writes end whose data is still in use: it is released in that order. */
  private readonly used: number[] = []
  private readonly released = (error?: Error | null): void => {
    const end = this.used.shift() ?? 0
    // Whether the socket is finished with the buffers is certain only where it has written them.
    if (error) this.taken.length = 0
    this.returnTaken(end)
    this.goOn()
  }

  /** `expected` is the announced length of the content in bytes, -1 for none. */
  constructor(owner: ContentOwner, head: string, expected: number, ahead: ReadAhead | null) {
    this.owner = owner
    this.head = head
    this.expected = expected
    this.ahead = ahead
  }

  /** Whether the peer has to take something before more can be written. */
  get waits(): boolean {
    return !this.over && (this.head !== '' || this.chunks.length > 0 || this.ended)
  }

  /** Bytes of content that are waiting to be written. */
  get pending(): number {
    return this.chunks.reduce((bytes, { length }) => bytes + length, 0)
  }

  /** Sends content that is in memory. */
  sendBytes(content: Buffer): void {
    if (content.length > 0) this.chunks.push(content)
    this.received = content.length
    this.ended = true
    this.advance()
  }

  /** Sends the content of a stream. */
  sendStream(source: BodyStream): void {
    this.source = this.lender = source
    this.advance()
    source.pipe(this)
  }

  write(chunk: Buffer): boolean {
    if (this.over) return false
    if (chunk.length === 0) return true
    this.received += chunk.length
    if (this.expected >= 0 && this.received > this.expected) {
      this.source?.cancel()
      this.fail(new Error('the body is longer than announced'))
      return false
    }
    this.chunks.push(chunk)
    this.advance()
    // Whether or not this was the end, the source gets its chunk back only once it is no longer in use.
    const inUse = (this.used.at(-1) ?? 0) > this.received - chunk.length
    if (inUse) this.lent = !(this.reserve() && this.take())
    else if (this.chunks.length > 0) this.lent = !this.keep()
    return !this.lent
  }

  end(trailers: Headers | null): void {
    if (this.over) return
    this.source = null
    if (this.expected >= 0 && this.received !== this.expected)
      return this.fail(new Error('the body is shorter than announced'))
    this.ended = true
    this.trailers = trailers
    this.advance()
  }

  fail(error: Error): void {
    if (this.over) return
    this.source = null
    this.close()
    this.owner.contentFailed(error)
  }

  /** The rest is not wanted: cancels the source. */
  stop(): void {
    if (this.over) return
    const { source } = this
    this.source = null
    this.close()
    source?.cancel()
  }

  /** Writes as much as may be written now. */
  advance(): void {
    if (this.advancing || this.over) return
    this.advancing = true
    this.writeAll()
    this.advancing = false
    if (this.over) return
    if (this.waits) return this.owner.contentWaits()
    this.ahead?.release()
    this.owner.contentCaughtUp()
    this.goOn()
  }

  /** Returns buffers, and lets the source continue, once the chunks are no longer in use. */
  private goOn(): void {
    if (this.used.length > 0 || this.chunks.length > 0) return
    this.returnTaken(this.received)
    if (!this.lent) return
    this.lent = false
    this.lender?.resume()
  }

  /** Returns the buffers of the content before `end`. */
  private returnTaken(end: number): void {
    for (let first = this.taken[0]; first !== undefined && first.end <= end; first = this.taken[0]) {
      giveBack(first.buffer)
      this.taken.shift()
    }
  }

  private writeAll(): void {
    const { owner, chunks } = this
    if (this.head !== '') {
      if (!owner.canWrite) return
      // gRPC clients look for the status in the frame that ends the stream.
      const alone = this.ended && chunks.length === 0 && this.trailers === null
      owner.writeHead(this.head, alone)
      this.head = ''
      if (alone) return this.finish()
    }
    for (let chunk = chunks[0]; chunk !== undefined; chunk = chunks[0]) {
      const last = chunks.length === 1 && this.isLast()
      const written = owner.writeContent(chunk, last, this.released)
      if (written === 0) return
      this.bytes += written
      if (owner.lending) this.used.push(this.bytes)
      if (written < chunk.length) chunks[0] = chunk.subarray(written)
      else chunks.shift()
      if (last && chunks.length === 0) return this.finish()
    }
    if (!this.ended || !owner.canWrite) return
    owner.writeEnd(this.trailers)
    this.finish()
  }

  /** Whether the content ends with what is here, and no trailers follow. */
  private isLast(): boolean {
    if (this.ended) return this.trailers === null
    return this.expected >= 0 && this.received === this.expected
  }

  private finish(): void {
    this.close()
    this.owner.contentWritten()
  }

  /** Takes over the buffer of the chunk from the source; false where that is not possible. */
  private take(): boolean {
    const handed = this.source?.leave?.() ?? false
    if (typeof handed === 'boolean') return handed
    this.taken.push({ buffer: handed, end: this.received })
    return true
  }

  /** Reserves room for the buffer of a chunk of which something is still to be written; false beyond the limits. */
  private reserve(): boolean {
    const rest = this.chunks.at(-1)
    return rest === undefined || this.ahead?.take(rest.buffer.byteLength) === true
  }

  /**
   * Buffers a chunk that cannot be written yet, within the limits, so that its source is free; otherwise the source
   * waits.
   */
  private keep(): boolean {
    const place = this.chunks.length - 1
    const rest = this.chunks[place]
    if (rest === undefined || this.ahead === null) return false
    const large = rest.length >= BULK && this.ahead.take(rest.buffer.byteLength)
    if (large && this.take()) return true
    if (!large && !this.ahead.take(rest.length)) return false
    this.chunks[place] = Buffer.from(rest)
    return true
  }

  private close(): void {
    this.over = true
    this.chunks.length = 0
    this.ahead?.release()
    if (this.used.length === 0) this.returnTaken(this.received)
  }
}
