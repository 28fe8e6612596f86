import { type BodyStream, Bytes } from '../../core/body.ts'
import type { Headers } from '../../core/headers.ts'
import { PassingBody } from '../../core/passing-body.ts'

/**
 * A body that is kept while it streams to the client. `kept` is called once: with the whole body, or with null as soon
 * as it is over the limit, has trailers, breaks off, or nobody wants the rest of it.
 */
export class StoringBody extends PassingBody {
  private readonly limit: number
  private kept: ((body: Bytes | null) => void) | null
  private chunks: Buffer[] = []
  private size = 0

  constructor(source: BodyStream, limit: number, kept: (body: Bytes | null) => void) {
    super(source)
    this.limit = limit
    this.kept = kept
  }

  override cancel(): void {
    this.settle(null)
    super.cancel()
  }

  override write(chunk: Buffer): boolean {
    if (this.kept !== null) {
      this.size += chunk.length
      if (this.size > this.limit) this.settle(null)
      else this.chunks.push(Buffer.from(chunk))
    }
    return super.write(chunk)
  }

  override end(trailers: Headers | null): void {
    const whole = trailers === null && (this.length < 0 || this.size === this.length)
    if (this.kept !== null) this.settle(whole ? Bytes.join(this.chunks) : null)
    super.end(trailers)
  }

  override fail(error: Error): void {
    this.settle(null)
    super.fail(error)
  }

  private settle(body: Bytes | null): void {
    const { kept } = this
    this.kept = null
    this.chunks = []
    kept?.(body)
  }
}
