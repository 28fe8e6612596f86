import { type BodyStream, Budget, Bytes } from '../../http/body.ts'
import type { Headers } from '../../http/headers.ts'
import { PassingBody } from '../../http/passing-body.ts'

const NOTHING = Buffer.alloc(0)

/** Of a thread: octets of all bodies that are kept while they come. */
const shared = new Budget(64 * 1024 ** 2)

/** Why a body is not kept: the next one will not be either, as it is over the limit or has trailers; or something went wrong with this one. */
export type NotKept = 'unfit' | 'lost'

/**
 * A body that is kept while it streams to the client. `kept` is called once: with the whole body, or with why there is none as soon
 * as it is over the limit, has trailers, breaks off, nobody wants the rest of it, or the budget has no room for more.
 */
export class StoringBody extends PassingBody {
  private readonly limit: number
  private readonly client: string
  private readonly budget: Budget
  private kept: ((body: Bytes | NotKept) => void) | null
  /** One buffer, not a list of chunks: these may be tiny, and each would cost far more than its octets. */
  private octets: Buffer = NOTHING
  private size = 0

  /** Keeps `limit` octets at most, on the account of the client of that address. */
  constructor(
    source: BodyStream,
    limit: number,
    client: string,
    kept: (body: Bytes | NotKept) => void,
    budget: Budget = shared,
  ) {
    super(source)
    this.limit = limit
    this.client = client
    this.budget = budget
    this.kept = kept
  }

  override cancel(): void {
    this.settle('lost')
    super.cancel()
  }

  override write(chunk: Buffer): boolean {
    if (this.kept !== null) this.keep(chunk)
    return super.write(chunk)
  }

  override end(trailers: Headers | null): void {
    if (this.kept !== null) this.settle(trailers === null ? this.whole() : 'unfit')
    super.end(trailers)
  }

  override fail(error: Error): void {
    this.settle('lost')
    super.fail(error)
  }

  private whole(): Bytes | NotKept {
    if (this.length >= 0 && this.size !== this.length) return 'lost'
    return Bytes.fromBuffer(this.octets.subarray(0, this.size)).kept()
  }

  private keep(chunk: Buffer): void {
    const size = this.size + chunk.length
    if (size > this.limit) return this.settle('unfit')
    if (!this.makeRoom(size)) return this.settle('lost')
    chunk.copy(this.octets, this.size)
    this.size = size
  }

  private makeRoom(size: number): boolean {
    const { octets } = this
    if (size <= octets.length) return true
    const room = Math.max(size, this.length, Math.min(this.limit, 2 * octets.length))
    if (!this.budget.take(room - octets.length, this.client)) return false
    this.octets = Buffer.allocUnsafeSlow(room)
    octets.copy(this.octets)
    return true
  }

  private settle(body: Bytes | NotKept): void {
    const { kept } = this
    this.kept = null
    this.budget.giveBack(this.octets.length, this.client)
    this.octets = NOTHING
    kept?.(body)
  }
}
