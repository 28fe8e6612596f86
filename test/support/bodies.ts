import type { BodySink, BodyStream } from '../../src/http/body.ts'
import type { Headers } from '../../src/http/headers.ts'

/** A sink that stores what it receives. */
export class CollectingSink implements BodySink {
  /** One character per byte. */
  text = ''
  writes = 0
  ended = false
  trailers: Headers | null = null
  error: Error | null = null
  /** The return value of `write`. */
  taking = true

  write(chunk: Buffer): boolean {
    this.text += chunk.toString('latin1')
    this.writes++
    return this.taking
  }

  end(trailers: Headers | null): void {
    this.ended = true
    this.trailers = trailers
  }

  fail(error: Error): void {
    this.error = error
  }
}

/** A body whose bytes the test pushes. */
export class PushedBody implements BodyStream {
  readonly length: number
  sink: BodySink | null = null
  resumed = 0
  cancelled = false
  private readonly first: string | null
  private readonly lent: Buffer[] = []

  /** `first` is available when the body is piped, or nothing is. */
  constructor(length: number, first: string | null = null) {
    this.length = length
    this.first = first
  }

  pipe(sink: BodySink): void {
    this.sink = sink
    if (this.first !== null) this.push(this.first)
  }

  /** One character per byte; returns the sink's result. The chunk is only lent: it is overwritten as soon as that is allowed. */
  push(text: string): boolean {
    const chunk = Buffer.from(text, 'latin1')
    const more = this.sink!.write(chunk)
    if (more) chunk.fill('!')
    else this.lent.push(chunk)
    return more
  }

  end(trailers: Headers | null = null): void {
    this.sink!.end(trailers)
  }

  resume(): void {
    this.resumed++
    for (const chunk of this.lent.splice(0)) chunk.fill('!')
  }

  cancel(): void {
    this.cancelled = true
  }
}

/** A body in parts, each passed on as soon as the sink wants more; what the sink no longer uses is overwritten. */
export class PartsBody implements BodyStream {
  readonly length: number
  private readonly parts: Buffer[]
  private readonly trailers: Headers | null
  private sink: BodySink | null = null
  private lent: Buffer | null = null

  /** One character per byte; `known` says whether the length is known in advance. */
  constructor(parts: readonly string[], known: boolean, trailers: Headers | null) {
    this.parts = parts.map((part) => Buffer.from(part, 'latin1'))
    this.length = known ? this.parts.reduce((sum, { length }) => sum + length, 0) : -1
    this.trailers = trailers
  }

  pipe(sink: BodySink): void {
    this.sink = sink
    this.deliver()
  }

  resume(): void {
    this.lent?.fill('!')
    this.lent = null
    this.deliver()
  }

  cancel(): void {
    this.sink = null
  }

  private deliver(): void {
    while (this.sink !== null && this.lent === null) {
      const { sink } = this
      const part = this.parts.shift()
      if (part === undefined) {
        this.sink = null
        return sink.end(this.trailers)
      }
      if (sink.write(part)) part.fill('!')
      else this.lent = part
    }
  }
}
