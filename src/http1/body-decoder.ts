import type { Headers } from '../http/headers.ts'

/** Receives the output of a decoder. */
export interface DecoderOutput {
  /** Bytes of content; they are only lent for the call. */
  content(bytes: Buffer, start: number, end: number): void
  complete(trailers: Headers | null): void
}

/** Removes the framing of a body (RFC 9112 sections 6 and 7). */
export interface BodyDecoder {
  /** Returns the offset after the last byte that belongs to the body. Throws MalformedMessage. */
  decode(bytes: Buffer, start: number, end: number, output: DecoderOutput): number
  /** The sender closed the connection; returns whether that completes the body. */
  close(output: DecoderOutput): boolean
}

/** Content of a length known from Content-Length (RFC 9112 section 6.2). */
export class LengthDecoder implements BodyDecoder {
  private remaining: number

  /** `length` in bytes, greater than 0. */
  constructor(length: number) {
    this.remaining = length
  }

  decode(bytes: Buffer, start: number, end: number, output: DecoderOutput): number {
    const stop = Math.min(end, start + this.remaining)
    if (stop > start) {
      this.remaining -= stop - start
      output.content(bytes, start, stop)
    }
    if (this.remaining === 0) output.complete(null)
    return stop
  }

  close(): boolean {
    return false
  }
}

/** Content of a response that lasts until the connection is closed (RFC 9112 section 6.3, rule 8). */
export class CloseDecoder implements BodyDecoder {
  decode(bytes: Buffer, start: number, end: number, output: DecoderOutput): number {
    if (end > start) output.content(bytes, start, end)
    return end
  }

  close(output: DecoderOutput): boolean {
    output.complete(null)
    return true
  }
}
