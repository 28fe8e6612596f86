import type { Body, BodySink, BodyStream, Bytes } from '../../http/body.ts'

/** Stored bodies up to this size in bytes are sent at once; longer ones are streamed at the pace of the client. */
export const AT_ONCE = 65_536

/** Prepares a stored body for sending to a client. */
export function deliver(body: Bytes | null): Body {
  return body === null || body.length <= AT_ONCE ? body : new StoredStream(body.toBuffer())
}

class StoredStream implements BodyStream {
  readonly length: number
  private readonly bytes: Buffer
  private at = 0
  private sink: BodySink | null = null

  constructor(bytes: Buffer) {
    this.bytes = bytes
    this.length = bytes.length
  }

  pipe(sink: BodySink): void {
    this.sink = sink
    this.resume()
  }

  resume(): void {
    while (this.sink !== null && this.at < this.length) {
      const chunk = this.bytes.subarray(this.at, this.at + AT_ONCE)
      this.at += chunk.length
      if (!this.sink.write(chunk)) return
    }
    const { sink } = this
    this.sink = null
    sink?.end(null)
  }

  cancel(): void {
    this.sink = null
  }
}
