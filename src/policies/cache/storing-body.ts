import { type BodyStream, Budget, Bytes } from '../../http/body.ts'
import type { Headers } from '../../http/headers.ts'
import { PassingBody } from '../../http/passing-body.ts'

const NOTHING = Buffer.alloc(0)

/** Per thread: how many bytes of bodies may be buffered while they arrive. */
const shared = new Budget(64 * 1024 ** 2)

/** Why a body is not kept: 'unfit' if it is too large or has trailers, as would be the next one; 'lost' if only this one failed. */
export type NotKept = 'unfit' | 'lost'

/**
 * Keeps a copy of a body that is streamed to the client. `onKept` is called once: with the whole body, or with the reason why there is
 * none as soon as it exceeds the limit, has trailers, is interrupted, is no longer wanted by the client, or the budget is exhausted.
 */
export class StoringBody extends PassingBody {
  private readonly limit: number
  private readonly client: string
  private readonly budget: Budget
  private onKept: ((body: Bytes | NotKept) => void) | null
  /** One buffer rather than a list of chunks, which may be tiny and would each cost far more than their bytes. */
  private bytes: Buffer = NOTHING
  private size = 0

  /** Keeps at most `limit` bytes, charged to the client with that address. */
  constructor(
    source: BodyStream,
    limit: number,
    client: string,
    onKept: (body: Bytes | NotKept) => void,
    budget: Budget = shared,
  ) {
    super(source)
    this.limit = limit
    this.client = client
    this.budget = budget
    this.onKept = onKept
  }

  override cancel(): void {
    this.settle('lost')
    super.cancel()
  }

  override write(chunk: Buffer): boolean {
    if (this.onKept !== null) this.keep(chunk)
    return super.write(chunk)
  }

  override end(trailers: Headers | null): void {
    if (this.onKept !== null) this.settle(trailers === null ? this.whole() : 'unfit')
    super.end(trailers)
  }

  override fail(error: Error): void {
    this.settle('lost')
    super.fail(error)
  }

  private whole(): Bytes | NotKept {
    if (this.length >= 0 && this.size !== this.length) return 'lost'
    return Bytes.fromBuffer(this.bytes.subarray(0, this.size)).detached()
  }

  private keep(chunk: Buffer): void {
    const size = this.size + chunk.length
    if (size > this.limit) return this.settle('unfit')
    if (!this.makeRoom(size)) return this.settle('lost')
    chunk.copy(this.bytes, this.size)
    this.size = size
  }

  private makeRoom(size: number): boolean {
    const { bytes } = this
    if (size <= bytes.length) return true
    const room = Math.max(size, this.length, Math.min(this.limit, 2 * bytes.length))
    if (!this.budget.take(room - bytes.length, this.client)) return false
    this.bytes = Buffer.allocUnsafeSlow(room)
    bytes.copy(this.bytes)
    return true
  }

  private settle(body: Bytes | NotKept): void {
    const { onKept } = this
    this.onKept = null
    this.budget.giveBack(this.bytes.length, this.client)
    this.bytes = NOTHING
    onKept?.(body)
  }
}
