import type { BodySink, BodyStream } from './body.ts'
import type { Headers } from './headers.ts'

/** A body derived from another one as it arrives, with something appended that the original does not have. */
export abstract class ChangedBody implements BodyStream, BodySink {
  readonly length = -1
  private readonly source: BodyStream
  private sink: BodySink | null = null
  /** The sink has returned false for a chunk, and has not called `resume` since. */
  private blocked = false
  /** That chunk is the source's own, which only lends it. */
  private lent = false
  /**
   * The final bytes, still to be written once the sink accepts them; null before the end of the source, and once
   * written.
   */
  private last: Buffer | null = null
  private over = false

  constructor(source: BodyStream) {
    this.source = source
  }

  /**
   * Transforms a chunk; the result may be the chunk itself, or empty where more input is needed first. Errors thrown
   * are passed to the sink.
   */
  protected abstract change(chunk: Buffer): Buffer

  /**
   * Returns what to append once all chunks have arrived; trailers are not passed on. Errors thrown are passed to the
   * sink.
   */
  protected abstract finish(trailers: Headers | null): Buffer

  pipe(sink: BodySink): void {
    this.sink = sink
    this.source.pipe(this)
  }

  resume(): void {
    // The sink's answer to the final bytes was never passed on to the source, so there is nothing to resume.
    if (!this.blocked) return
    this.blocked = false
    this.source.resume()
    this.writeLast()
  }

  leave(): boolean | Buffer {
    return !this.lent || (this.source.leave?.() ?? false)
  }

  cancel(): void {
    this.over = true
    this.last = null
    this.source.cancel()
  }

  write(chunk: Buffer): boolean {
    const { sink } = this
    if (this.over || sink === null) return false
    let bytes: Buffer
    try {
      bytes = this.change(chunk)
    } catch (error) {
      this.cancel()
      sink.fail(asError(error))
      return false
    }
    if (bytes.length === 0) return true
    this.lent = bytes.buffer === chunk.buffer
    const goesOn = sink.write(bytes)
    this.blocked = !goesOn
    return goesOn
  }

  end(trailers: Headers | null): void {
    if (this.over) return
    try {
      this.last = this.finish(trailers)
    } catch (error) {
      this.over = true
      return this.sink?.fail(asError(error))
    }
    if (!this.blocked) this.writeLast()
  }

  fail(error: Error): void {
    if (this.over) return
    this.over = true
    this.sink?.fail(error)
  }

  private writeLast(): void {
    const { last, sink } = this
    if (last === null || this.over) return
    this.last = null
    this.over = true
    this.lent = false
    if (last.length > 0) sink?.write(last)
    sink?.end(null)
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}
