import type { BodySink, BodyStream } from '../../http/body.ts'
import type { Headers } from '../../http/headers.ts'

/**
 * Resolves with a body once its first bytes or its end have arrived; reading continues only when a consumer attaches. Rejects with
 * any error before that.
 */
export function begin(source: BodyStream): Promise<BodyStream> {
  return new Promise((resolve, reject) => {
    const body = new BegunBody(source, resolve, reject)
    source.pipe(body)
  })
}

class BegunBody implements BodyStream, BodySink {
  readonly length: number
  private readonly source: BodyStream
  private readonly resolve: (body: BodyStream) => void
  private readonly reject: (error: Error) => void
  private sink: BodySink | null = null
  /** The first chunk; the source is paused after it until it is resumed. */
  private first: Buffer | null = null
  private ended = false
  private trailers: Headers | null = null
  private error: Error | null = null

  constructor(source: BodyStream, resolve: (body: BodyStream) => void, reject: (error: Error) => void) {
    this.source = source
    this.length = source.length
    this.resolve = resolve
    this.reject = reject
  }

  write(chunk: Buffer): boolean {
    if (this.sink !== null) return this.sink.write(chunk)
    this.first = chunk
    this.resolve(this)
    return false
  }

  end(trailers: Headers | null): void {
    if (this.sink !== null && this.first === null) return this.sink.end(trailers)
    this.ended = true
    this.trailers = trailers
    this.resolve(this)
  }

  fail(error: Error): void {
    this.error = error
    this.first = null
    if (this.sink !== null) this.sink.fail(error)
    else this.reject(error)
  }

  pipe(sink: BodySink): void {
    const { first } = this
    this.sink = sink
    if (this.error !== null) return sink.fail(this.error)
    if (first === null) return sink.end(this.trailers)
    if (sink.write(first)) this.goOn()
  }

  resume(): void {
    if (this.first !== null) this.goOn()
    else this.source.resume()
  }

  cancel(): void {
    this.first = null
    this.source.cancel()
  }

  private goOn(): void {
    this.first = null
    if (this.ended) {
      this.source.resume()
      this.sink?.end(this.trailers)
    } else this.source.resume()
  }
}
