import type { BodySink, BodyStream } from '../http/body.ts'
import type { ReadAhead } from '../http/read-ahead.ts'
import type { Headers } from '../http/headers.ts'

/** The stream that a message goes out in. */
export interface ContentOwner {
  /** Whether anything may be written now. */
  readonly canWrite: boolean
  /** Writes the head as HEADERS, which end the stream where they are all there is: `alone`. */
  writeHead(head: string, alone: boolean): void
  /**
   * Writes the beginning of the content as DATA, as much as may be sent now, and ends the stream with it where that is all and `last`.
   * Returns how many octets those are, 0 where none may be sent. Where they are still used, `released` is called when they are not.
   */
  writeContent(content: Buffer, last: boolean, released: () => void): number
  /** Whether what was written last is still used. */
  readonly lending: boolean
  /** Ends the stream, by trailers where there are any. */
  writeEnd(trailers: Headers | null): void
  /** There is more to be written than may be now: `advance` is to be called when it may. */
  contentWaits(): void
  /** All that has come was written, and more is to come. */
  contentCaughtUp(): void
  /** The message was written whole. */
  contentWritten(): void
  /** It cannot be completed. */
  contentFailed(error: Error): void
}

/** Writes a message whose content comes bit by bit, or is more than may be sent at once. */
export class ContentWriter implements BodySink {
  /** Octets of content written. */
  bytes = 0

  private readonly owner: ContentOwner
  /** What may be kept for a peer that takes no more; null: nothing. */
  private readonly ahead: ReadAhead | null
  /** The head, until it is written; "" where it was before. */
  private head: string
  private readonly expected: number
  private source: BodyStream | null = null
  /** The same, also when it has ended: it waits for its last chunk all the same. */
  private lender: BodyStream | null = null
  /** What is to be written next; the last one may be lent by the source. */
  private readonly chunks: Buffer[] = []
  private received = 0
  /** The source waits for its last chunk to be written. */
  private lent = false
  private ended = false
  private trailers: Headers | null = null
  private over = false
  private advancing = false
  /** Writes that still use what was written. */
  private used = 0
  private readonly released = (): void => {
    this.used--
    this.goOn()
  }

  /** `expected` are the octets of content that are announced, -1 for none. */
  constructor(owner: ContentOwner, head: string, expected: number, ahead: ReadAhead | null) {
    this.owner = owner
    this.head = head
    this.expected = expected
    this.ahead = ahead
  }

  /** Whether the peer has to take something before there is more. */
  get waits(): boolean {
    return !this.over && (this.head !== '' || this.chunks.length > 0 || this.ended)
  }

  /** Sends content that is at hand. */
  sendBytes(content: Buffer): void {
    if (content.length > 0) this.chunks.push(content)
    this.received = content.length
    this.ended = true
    this.advance()
  }

  /** Sends what the source has. */
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
    // Told or not that this was the end, the source may only have its chunk back when nobody uses it.
    if (this.used > 0 && this.source?.leave?.() !== true) this.lent = true
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

  /** Nobody takes the rest: the source is told. */
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

  /** The source may go on where nothing of its last chunk is used any more. */
  private goOn(): void {
    if (!this.lent || this.used > 0 || this.chunks.length > 0) return
    this.lent = false
    this.lender?.resume()
  }

  private writeAll(): void {
    const { owner, chunks } = this
    if (this.head !== '') {
      if (!owner.canWrite) return
      // Clients of gRPC look for their status where the stream ends.
      const alone = this.ended && chunks.length === 0 && this.trailers === null
      owner.writeHead(this.head, alone)
      this.head = ''
      if (alone) return this.finish()
    }
    for (let chunk = chunks[0]; chunk !== undefined; chunk = chunks[0]) {
      const last = chunks.length === 1 && this.isLast()
      const written = owner.writeContent(chunk, last, this.released)
      if (written === 0) return
      if (owner.lending) this.used++
      this.bytes += written
      if (written < chunk.length) chunks[0] = chunk.subarray(written)
      else chunks.shift()
      if (last && chunks.length === 0) return this.finish()
    }
    if (!this.ended || !owner.canWrite) return
    owner.writeEnd(this.trailers)
    this.finish()
  }

  /** Whether the content ends with what is there, and no trailers follow. */
  private isLast(): boolean {
    if (this.ended) return this.trailers === null
    return this.expected >= 0 && this.received === this.expected
  }

  private finish(): void {
    this.close()
    this.owner.contentWritten()
  }

  /** Keeps a chunk that cannot be written yet, as long as it may, so that its source is free; else the source waits. */
  private keep(): boolean {
    const place = this.chunks.length - 1
    const rest = this.chunks[place]
    if (rest === undefined || this.ahead?.take(rest.length) !== true) return false
    this.chunks[place] = Buffer.from(rest)
    return true
  }

  private close(): void {
    this.over = true
    this.chunks.length = 0
    this.ahead?.release()
  }
}
