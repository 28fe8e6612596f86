import { type BodySink, type BodyStream, Bytes } from '../../core/body.ts'
import type { Headers } from '../../core/headers.ts'

/**
 * A body that is kept while it streams to the client. `kept` is called once: with the whole body, or with null as soon
 * as it is over the limit, has trailers, breaks off, or nobody wants the rest of it.
 */
export class StoringBody implements BodyStream, BodySink {
  readonly length: number
  private readonly source: BodyStream
  private readonly limit: number
  private kept: ((body: Bytes | null) => void) | null
  private chunks: Buffer[] = []
  private size = 0
  private sink: BodySink | null = null

  constructor(source: BodyStream, limit: number, kept: (body: Bytes | null) => void) {
    this.source = source
    this.length = source.length
    this.limit = limit
    this.kept = kept
  }

  pipe(sink: BodySink): void {
    this.sink = sink
    this.source.pipe(this)
  }

  resume(): void {
    this.source.resume()
  }

  cancel(): void {
    this.settle(null)
    this.source.cancel()
  }

  write(chunk: Buffer): boolean {
    if (this.kept !== null) {
      this.size += chunk.length
      if (this.size > this.limit) this.settle(null)
      else this.chunks.push(Buffer.from(chunk))
    }
    return this.sink!.write(chunk)
  }

  end(trailers: Headers | null): void {
    const whole = trailers === null && (this.length < 0 || this.size === this.length)
    if (this.kept !== null) this.settle(whole ? Bytes.join(this.chunks) : null)
    this.sink!.end(trailers)
  }

  fail(error: Error): void {
    this.settle(null)
    this.sink!.fail(error)
  }

  private settle(body: Bytes | null): void {
    const { kept } = this
    this.kept = null
    this.chunks = []
    kept?.(body)
  }
}
