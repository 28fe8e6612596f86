import { Bytes, type BodySink, type BodyStream } from '../http/body.ts'
import { asGatewayError } from '../core/errors.ts'
import type { Headers } from '../http/headers.ts'
import type { BodyDecoder } from './body-decoder.ts'
import { BULK, giveBack, sharedBuffer, takeBuffer } from '../http/read-buffers.ts'

/** The connection that a body is read from. */
export interface BodySource {
  pauseReading(): void
  resumeReading(): void
  /** The consumer wants no more of the body. */
  abandonBody(): void
  /** A consumer has called `pipe`. */
  bodyWanted(): void
}

/** Up to this size, in bytes, a body that arrived with its head is passed on as bytes. */
export const WHOLE = 16_384

/**
 * The content of a message that is still arriving. What arrives before `pipe`, at most what was read together with the
 * head, is kept; then reading pauses, so that a body is never buffered as a whole.
 *
 * A body in full flow has its own read buffer, so that its bytes go from socket to socket without a copy: nothing is
 * read while a sink still uses the last chunk.
 */
export class IncomingBody implements BodyStream {
  readonly length: number
  /** All of it has arrived and was passed on. */
  finished = false
  /** Bytes of content so far. */
  received = 0

  private readonly source: BodySource
  private readonly decoder: BodyDecoder
  private readonly limit: number
  private readonly overLimit: () => Error
  private sink: BodySink | null = null
  /** The body's own buffer, and how much of it is filled with chunks copied there. */
  private own: Buffer | null = null
  private copied = 0
  /** The connection reads into `own`. */
  private named = false
  /** Bytes of `own`, all of them copied, that have not been passed to a sink. */
  private ownBytes = 0
  /** The sink still uses the last chunk. */
  private lent = false
  /** What was read together with that chunk, and is passed on once the sink is finished with it. */
  private rest: Buffer | null = null
  /** Bytes used in `rest`. */
  private restLength = 0
  /** A chunk that was just read is being passed to the sink. */
  private handing = false
  private ended = false
  private trailers: Headers | null = null
  private error: Error | null = null
  private paused = false

  /** Fails with `overLimit()` once more than `limit` bytes of content have arrived. */
  constructor(source: BodySource, decoder: BodyDecoder, length: number, limit: number, overLimit: () => Error) {
    this.source = source
    this.decoder = decoder
    this.length = length
    this.limit = limit
    this.overLimit = overLimit
  }

  get arrived(): boolean {
    return this.ended
  }

  /** Whether it has a sink and has not failed: it will be read to its end. */
  get flowing(): boolean {
    return this.sink !== null && this.error === null
  }

  /** The buffer that the connection has to use for its next read. */
  get readBuffer(): Buffer {
    // Without a sink nothing is read; the beginning alone does not need the body's own buffer for long.
    const { own } = this
    this.named = own !== null && this.sink !== null && !this.ended
    return this.named && own !== null ? own : sharedBuffer
  }

  /** All of it as bytes, if it is short and arrived before `pipe`; it must not be piped after that. */
  whole(): Bytes | null {
    if (!this.ended || this.trailers !== null || this.sink !== null || this.error !== null) return null
    if (this.ownBytes > WHOLE) return null
    this.finished = true
    const bytes = Bytes.fromLatin1(this.own === null ? '' : this.own.toString('latin1', 0, this.ownBytes))
    this.ownBytes = 0
    this.release()
    return bytes
  }

  /**
   * Takes bytes from the connection; returns the offset after the last one that belongs to this body. Throws
   * MalformedMessage for invalid framing, after failing the sink; `finished` says that it is complete.
   */
  feed(bytes: Buffer, start: number, end: number): number {
    try {
      return this.decoder.decode(bytes, start, end, this)
    } catch (error) {
      this.fail(asGatewayError(error))
      throw error
    }
  }

  /** The sender closed the connection; returns whether that completes the body. */
  endOfInput(): boolean {
    return this.decoder.close(this)
  }

  /** Called by the decoder with content. */
  content(bytes: Buffer, start: number, end: number): void {
    this.received += end - start
    if (this.received > this.limit) throw this.overLimit()
    if (this.error !== null) return
    const { sink } = this
    if (sink === null || this.ownBytes > 0) {
      this.ownBytes += this.copy(bytes, start, end).length
      return this.pause()
    }
    if (this.lent) return this.keepRest(bytes, start, end)
    const chunk = bytes === this.own ? bytes.subarray(start, end) : this.copy(bytes, start, end)
    this.handing = true
    const more = sink.write(chunk)
    this.handing = false
    if (!more) {
      this.lent = true
      return this.pause()
    }
    if (this.lent) return
    this.copied = 0
    if (chunk.length < BULK) this.release()
  }

  /** Called by the decoder at the end of the body. */
  complete(trailers: Headers | null): void {
    this.ended = true
    this.trailers = trailers
    // There is nothing left to hold back; the connection may already be needed for the next message.
    if (this.paused) this.source.resumeReading()
    this.paused = false
    if (this.sink !== null && this.ownBytes === 0 && this.rest === null) this.finish(this.sink)
  }

  /** The body will not be completed; fails the sink, now or once there is one. */
  fail(error: Error): void {
    if (this.error !== null || this.finished) return
    this.error = error
    this.forget()
    this.sink?.fail(error)
  }

  pipe(sink: BodySink): void {
    this.sink = sink
    if (this.error !== null) return sink.fail(this.error)
    this.source.bodyWanted()
    this.deliver(sink)
  }

  resume(): void {
    this.lent = false
    this.copied = this.ownBytes
    if (this.finished) return this.release()
    if (this.sink !== null && this.error === null) this.deliver(this.sink)
  }

  /** The sink gets the buffer: the socket asks for its buffer after each read, and gets another one for the next. */
  leave(): boolean | Buffer {
    const { own } = this
    if (!this.handing || own === null) return false
    this.forget()
    return own
  }

  cancel(): void {
    if (this.finished || this.error !== null) return
    this.error = new Error('the consumer wants no more of the body')
    this.forget()
    // Once all of it has arrived, the connection may already be at the next message.
    if (!this.ended) this.source.abandonBody()
  }

  private deliver(sink: BodySink): void {
    const { ownBytes, own, rest, restLength } = this
    if (rest !== null) {
      this.rest = null
      this.restLength = 0
      this.lent = !sink.write(rest.subarray(0, restLength))
      if (this.lent && !this.ended) return
    }
    if (ownBytes > 0 && own !== null) {
      this.ownBytes = 0
      this.lent = !sink.write(own.subarray(0, ownBytes))
      if (this.lent && !this.ended) return
      if (!this.lent) this.copied = 0
      if (!this.lent && !this.named) this.release()
    }
    if (this.ended) return this.finish(sink)
    if (!this.paused) return
    this.paused = false
    this.source.resumeReading()
  }

  private pause(): void {
    if (this.paused || this.ended) return
    this.paused = true
    this.source.pauseReading()
  }

  private finish(sink: BodySink): void {
    if (this.finished || this.error !== null) return
    this.finished = true
    if (!this.lent) this.release()
    sink.end(this.trailers)
  }

  /**
   * Keeps bytes for the sink. A chunked body may have many chunks in one read: the remaining ones need no more room
   * than the rest of that read.
   */
  private keepRest(bytes: Buffer, start: number, end: number): void {
    const { rest, restLength } = this
    const stop = restLength + end - start
    if (rest === null || stop > rest.length) {
      this.rest = Buffer.allocUnsafeSlow(restLength + bytes.length - start)
      rest?.copy(this.rest, 0, 0, restLength)
    }
    if (this.rest !== null) bytes.copy(this.rest, restLength, start, end)
    this.restLength = stop
  }

  /** Appends a chunk to those copied since the sink last had nothing in use. */
  private copy(bytes: Buffer, start: number, end: number): Buffer {
    const { copied } = this
    const stop = copied + end - start
    this.own ??= takeBuffer()
    if (stop > this.own.length) this.own = Buffer.concat([this.own.subarray(0, copied)], stop)
    bytes.copy(this.own, copied, start, end)
    this.copied = stop
    return this.own.subarray(copied, stop)
  }

  /**
   * Returns the buffer to the pool. Only allowed while bytes are being read, after the last of them, or where the
   * connection reads into another buffer: otherwise the socket still holds it.
   */
  private release(): void {
    if (this.own !== null) giveBack(this.own)
    this.forget()
  }

  private forget(): void {
    this.own = this.rest = null
    this.copied = this.ownBytes = this.restLength = 0
  }
}
