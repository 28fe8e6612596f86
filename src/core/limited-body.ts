import { type Body, type BodySink, type BodyStream, isStream } from './body.ts'
import { GatewayError } from './errors.ts'
import type { Headers } from './headers.ts'

/** The error for a request body that has, or announces, more than `limit` octets. */
export function tooLarge(limit: number): GatewayError {
  return new GatewayError('content-too-large', `The request body is over ${limit} bytes.`)
}

/**
 * The body of a request, which fails with GatewayError 'content-too-large' once more than `limit` octets have come.
 * Throws the same where it is known beforehand.
 */
export function limitBody(body: Body, limit: number): Body {
  if (body === null) return null
  if (body.length > limit) throw tooLarge(limit)
  return isStream(body) && body.length < 0 ? new LimitedBody(body, limit) : body
}

/** A body of unknown length, counted on its way. */
class LimitedBody implements BodyStream, BodySink {
  readonly length = -1
  private readonly source: BodyStream
  private readonly limit: number
  private received = 0
  private sink: BodySink | null = null

  constructor(source: BodyStream, limit: number) {
    this.source = source
    this.limit = limit
  }

  pipe(sink: BodySink): void {
    this.sink = sink
    this.source.pipe(this)
  }

  resume(): void {
    this.source.resume()
  }

  cancel(): void {
    this.source.cancel()
  }

  write(chunk: Buffer): boolean {
    this.received += chunk.length
    if (this.received <= this.limit) return this.sink!.write(chunk)
    this.source.cancel()
    this.sink!.fail(tooLarge(this.limit))
    return false
  }

  end(trailers: Headers | null): void {
    this.sink!.end(trailers)
  }

  fail(error: Error): void {
    this.sink!.fail(error)
  }
}
