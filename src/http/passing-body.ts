import type { BodySink, BodyStream } from './body.ts'
import type { Headers } from './headers.ts'

/** Passes a body on unchanged: a base class for code that observes what passes. */
export class PassingBody implements BodyStream, BodySink {
  readonly length: number
  private readonly source: BodyStream
  private sink: BodySink | null = null

  constructor(source: BodyStream) {
    this.source = source
    this.length = source.length
  }

  pipe(sink: BodySink): void {
    this.sink = sink
    this.source.pipe(this)
  }

  resume(): void {
    this.source.resume()
  }

  leave(): boolean | Buffer {
    return this.source.leave?.() ?? false
  }

  cancel(): void {
    this.source.cancel()
  }

  write(chunk: Buffer): boolean {
    return this.sink?.write(chunk) ?? false
  }

  end(trailers: Headers | null): void {
    this.sink?.end(trailers)
  }

  fail(error: Error): void {
    this.sink?.fail(error)
  }
}
