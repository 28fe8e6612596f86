import type { BodySink, BodyStream } from './body.ts'
import type { Headers } from './headers.ts'

/** A body that is made of another one as it comes, with something at its end that the other one has not. */
export abstract class ChangedBody implements BodyStream, BodySink {
  readonly length = -1
  private readonly source: BodyStream
  private sink: BodySink | null = null
  /** The sink has a chunk, and takes no more before it has asked for more. */
  private blocked = false
  /** It is the chunk of the source, which only lends it. */
  private lent = false
  /** What is still to be written when the sink takes it; null before the end of the source, and after. */
  private last: Buffer | null = null
  private over = false

  constructor(source: BodyStream) {
    this.source = source
  }

  /** What becomes of a chunk, which may be the chunk itself; nothing, where more is needed first. Throws what the sink is told. */
  protected abstract change(chunk: Buffer): Buffer

  /** What comes after it, when all of it is here; trailers do not follow. Throws what the sink is told. */
  protected abstract finish(trailers: Headers | null): Buffer

  pipe(sink: BodySink): void {
    this.sink = sink
    this.source.pipe(this)
  }

  resume(): void {
    // What the sink has answered to the last octets is nothing that the source has been told.
    if (!this.blocked) return
    this.blocked = false
    this.source.resume()
    this.writeLast()
  }

  leave(): boolean {
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
    let octets: Buffer
    try {
      octets = this.change(chunk)
    } catch (error) {
      this.cancel()
      sink.fail(asError(error))
      return false
    }
    if (octets.length === 0) return true
    this.lent = octets.buffer === chunk.buffer
    const goesOn = sink.write(octets)
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
