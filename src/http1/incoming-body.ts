import { asGatewayError } from '../core/errors.ts'
import { Bytes, type BodySink, type BodyStream } from '../core/body.ts'
import type { Headers } from '../core/headers.ts'
import type { BodyDecoder } from './body-decoder.ts'

/** The connection a body is read from. */
export interface BodySource {
  pauseReading(): void
  resumeReading(): void
  /** The consumer wants no more of the body. */
  abandonBody(): void
  /** A consumer has taken the body. */
  bodyWanted(): void
}

/**
 * The content of a message that is still arriving. What comes before somebody pipes it, at most what was read
 * together with the head, is kept; then reading pauses, so that nothing is ever buffered whole.
 */
export class IncomingBody implements BodyStream {
  readonly length: number
  /** All of it has arrived and was handed on. */
  finished = false
  /** Octets of content so far. */
  received = 0

  private readonly source: BodySource
  private readonly decoder: BodyDecoder
  private readonly limit: number
  private readonly overLimit: () => Error
  private sink: BodySink | null = null
  private kept: Buffer | null = null
  private ended = false
  private trailers: Headers | null = null
  private error: Error | null = null
  private paused = false

  /** Fails with `overLimit()` once more than `limit` octets of content have come. */
  constructor(source: BodySource, decoder: BodyDecoder, length: number, limit: number, overLimit: () => Error) {
    this.source = source
    this.decoder = decoder
    this.length = length
    this.limit = limit
    this.overLimit = overLimit
  }

  /** Whether all of it has been read from the connection. */
  get arrived(): boolean {
    return this.ended
  }

  /** Whether somebody takes it and it has not failed: it will be read to its end. */
  get flowing(): boolean {
    return this.sink !== null && this.error === null
  }

  /** All of it as bytes, if it arrived before anybody took it; then nobody may take it any more. */
  whole(): Bytes | null {
    if (!this.ended || this.trailers !== null || this.sink !== null || this.error !== null) return null
    this.finished = true
    const bytes = this.kept === null ? Bytes.fromLatin1('') : Bytes.fromBuffer(this.kept)
    this.kept = null
    return bytes
  }

  /**
   * Takes octets from the connection; returns the offset behind those that belong to this body.
   * Throws MalformedMessage for a broken coding, after the sink has been told; `finished` says that it is complete.
   */
  feed(octets: Buffer, start: number, end: number): number {
    try {
      return this.decoder.decode(octets, start, end, this)
    } catch (error) {
      this.fail(asGatewayError(error))
      throw error
    }
  }

  /** The sender closed the connection: whether the body is complete by that. */
  endOfInput(): boolean {
    return this.decoder.close(this)
  }

  /** The decoder found content. */
  content(octets: Buffer, start: number, end: number): void {
    this.received += end - start
    if (this.received > this.limit) throw this.overLimit()
    if (this.error !== null) return
    const chunk = octets.subarray(start, end)
    if (this.sink === null || this.kept !== null) {
      this.kept = this.kept === null ? Buffer.from(chunk) : Buffer.concat([this.kept, chunk])
      this.pause()
      return
    }
    if (!this.sink.write(chunk)) this.pause()
  }

  /** The decoder found the end. */
  complete(trailers: Headers | null): void {
    this.ended = true
    this.trailers = trailers
    // There is nothing left to hold back; the connection may already be needed for the next message.
    if (this.paused) this.source.resumeReading()
    this.paused = false
    if (this.sink !== null && this.kept === null) this.finish()
  }

  /** The body will not be completed; told to the sink, now or when there is one. */
  fail(error: Error): void {
    if (this.error !== null || this.finished) return
    this.error = error
    this.kept = null
    this.sink?.fail(error)
  }

  pipe(sink: BodySink): void {
    this.sink = sink
    if (this.error !== null) return sink.fail(this.error)
    this.source.bodyWanted()
    this.deliver()
  }

  resume(): void {
    if (this.sink !== null && this.error === null) this.deliver()
  }

  cancel(): void {
    if (this.finished || this.error !== null) return
    this.error = new Error('the consumer wants no more of the body')
    this.kept = null
    // Once it is here, the connection may already be at the next message.
    if (!this.ended) this.source.abandonBody()
  }

  private deliver(): void {
    const { kept, sink } = this
    if (kept !== null) {
      this.kept = null
      if (!sink!.write(kept) && !this.ended) return
    }
    if (this.ended) return this.finish()
    if (!this.paused) return
    this.paused = false
    this.source.resumeReading()
  }

  private pause(): void {
    if (this.paused || this.ended) return
    this.paused = true
    this.source.pauseReading()
  }

  private finish(): void {
    if (this.finished || this.error !== null) return
    this.finished = true
    this.sink!.end(this.trailers)
  }
}
