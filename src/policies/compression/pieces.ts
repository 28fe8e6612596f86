import type { BodySink, BodyStream, Bytes } from '../../http/body.ts'

/** Size of a chunk in bytes. */
const PIECE = 65_536

/** Streams a body that is completely in memory, for sinks that consume chunks. */
export class Pieces implements BodyStream {
  readonly length: number
  private readonly bytes: Buffer
  private sink: BodySink | null = null
  private at = 0
  private paused = false

  constructor(bytes: Bytes) {
    this.length = bytes.length
    this.bytes = bytes.toBuffer()
  }

  pipe(sink: BodySink): void {
    this.sink = sink
    this.deliver()
  }

  resume(): void {
    this.paused = false
    this.deliver()
  }

  cancel(): void {
    this.sink = null
  }

  private deliver(): void {
    while (this.sink !== null && !this.paused && this.at < this.length) {
      const piece = this.bytes.subarray(this.at, this.at + PIECE)
      this.at += piece.length
      this.paused = !this.sink.write(piece)
    }
    if (this.at < this.length) return
    this.sink?.end(null)
    this.sink = null
  }
}
