import { Bytes, type BodySink, type BodyStream } from '../http/body.ts'
import { asGatewayError } from '../core/errors.ts'
import type { Headers } from '../http/headers.ts'
import type { BodyDecoder } from './body-decoder.ts'
import { giveBack, sharedBuffer, takeBuffer } from '../http/read-buffers.ts'

/** The connection a body is read from. */
export interface BodySource {
  pauseReading(): void
  resumeReading(): void
  /** The consumer wants no more of the body. */
  abandonBody(): void
  /** A consumer has taken the body. */
  bodyWanted(): void
}

/** Up to here a body that arrived with its head is handed on as bytes, in octets. */
export const WHOLE = 16_384

/** A read of fewer octets than this does not keep a buffer of its own busy: events come far between. */
const BULK = 16_384

/**
 * The content of a message that is still arriving. What comes before somebody pipes it, at most what was read
 * together with the head, is kept; then reading pauses, so that nothing is ever buffered whole.
 *
 * A body in full flow has a read buffer of its own, so that its octets go from socket to socket without a copy: while
 * a sink still uses the last chunk, nothing is read.
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
  /** The buffer of its own, and how much of it holds chunks that were copied there. */
  private own: Buffer | null = null
  private copied = 0
  /** The connection reads into it. */
  private named = false
  /** Octets of `own` that nobody has taken yet, all of what was copied. */
  private kept = 0
  /** The sink still uses the last chunk. */
  private lent = false
  /** What was read together with that chunk, and is for the sink once it has done with it. */
  private rest: Buffer | null = null
  /** Octets of it. */
  private restLength = 0
  /** A chunk is being handed on that has just been read. */
  private handing = false
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

  /** What the connection is to read into next. */
  get readBuffer(): Buffer {
    // Before anybody takes it, nothing is read: the beginning alone needs no buffer of its own for long.
    const { own } = this
    this.named = own !== null && this.sink !== null && !this.ended
    return this.named && own !== null ? own : sharedBuffer
  }

  /** All of it as bytes, if it is short and arrived before anybody took it; then nobody may take it any more. */
  whole(): Bytes | null {
    if (!this.ended || this.trailers !== null || this.sink !== null || this.error !== null) return null
    if (this.kept > WHOLE) return null
    this.finished = true
    const bytes = Bytes.fromLatin1(this.own === null ? '' : this.own.toString('latin1', 0, this.kept))
    this.kept = 0
    this.release()
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
    const { sink } = this
    if (sink === null || this.kept > 0) {
      this.kept += this.copy(octets, start, end).length
      return this.pause()
    }
    if (this.lent) return this.keepRest(octets, start, end)
    const chunk = octets === this.own ? octets.subarray(start, end) : this.copy(octets, start, end)
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

  /** The decoder found the end. */
  complete(trailers: Headers | null): void {
    this.ended = true
    this.trailers = trailers
    // There is nothing left to hold back; the connection may already be needed for the next message.
    if (this.paused) this.source.resumeReading()
    this.paused = false
    if (this.sink !== null && this.kept === 0 && this.rest === null) this.finish(this.sink)
  }

  /** The body will not be completed; told to the sink, now or when there is one. */
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
    this.copied = this.kept
    if (this.finished) return this.release()
    if (this.sink !== null && this.error === null) this.deliver(this.sink)
  }

  /** The socket reads into another buffer next, which it is told after each read. */
  leave(): boolean {
    if (!this.handing) return false
    this.forget()
    return true
  }

  cancel(): void {
    if (this.finished || this.error !== null) return
    this.error = new Error('the consumer wants no more of the body')
    this.forget()
    // Once it is here, the connection may already be at the next message.
    if (!this.ended) this.source.abandonBody()
  }

  private deliver(sink: BodySink): void {
    const { kept, own, rest, restLength } = this
    if (rest !== null) {
      this.rest = null
      this.restLength = 0
      this.lent = !sink.write(rest.subarray(0, restLength))
      if (this.lent && !this.ended) return
    }
    if (kept > 0 && own !== null) {
      this.kept = 0
      this.lent = !sink.write(own.subarray(0, kept))
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

  /** A chunked body may have many chunks in one read: what follows there needs no more than is left of it. */
  private keepRest(octets: Buffer, start: number, end: number): void {
    const { rest, restLength } = this
    const stop = restLength + end - start
    if (rest === null || stop > rest.length) {
      this.rest = Buffer.allocUnsafeSlow(restLength + octets.length - start)
      rest?.copy(this.rest, 0, 0, restLength)
    }
    if (this.rest !== null) octets.copy(this.rest, restLength, start, end)
    this.restLength = stop
  }

  /** Puts a chunk behind those that were copied since the sink last had nothing in use. */
  private copy(octets: Buffer, start: number, end: number): Buffer {
    const { copied } = this
    const stop = copied + end - start
    this.own ??= takeBuffer()
    if (stop > this.own.length) this.own = Buffer.concat([this.own.subarray(0, copied)], stop)
    octets.copy(this.own, copied, start, end)
    this.copied = stop
    return this.own.subarray(copied, stop)
  }

  /** Gives the buffer back; only while octets are read, or after the last of them, or where the connection reads into another: else the socket still holds it. */
  private release(): void {
    if (this.own !== null) giveBack(this.own)
    this.forget()
  }

  private forget(): void {
    this.own = this.rest = null
    this.copied = this.kept = this.restLength = 0
  }
}
