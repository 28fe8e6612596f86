import { type BodyStream, Budget, Bytes } from '../../http/body.ts'
import type { Headers } from '../../http/headers.ts'
import { PassingBody } from '../../http/passing-body.ts'

/** Is notified about a body that has passed through, at most once. */
export interface Observer {
  /** The whole body has passed. */
  passed(body: Bytes): void
  /** The body exceeds the limit. */
  tooLarge(): void
}

/** How a body is observed. */
export interface Observation {
  /** Most bytes that the body may have. */
  readonly limit: number
  readonly keeps: boolean
  readonly client: string
}

const NOTHING = Buffer.alloc(0)

/** Per thread: how many bytes of bodies being observed may be buffered. */
const shared = new Budget(64 * 1024 ** 2)

/**
 * Passes a body on unchanged and keeps a copy, which the observer gets when all of it has passed. If the budget is exhausted, the
 * observer is not called.
 */
export class ObservedBody extends PassingBody {
  private readonly limit: number
  private readonly keeps: boolean
  private readonly client: string
  private readonly budget: Budget
  private observer: Observer | null
  private buffered: Buffer = NOTHING
  private size = 0

  /** Charged to the client with that address. If `keeps` is false, bytes are only counted, and `passed` is not called. */
  constructor(source: BodyStream, { limit, keeps, client }: Observation, observer: Observer, budget = shared) {
    super(source)
    this.limit = limit
    this.keeps = keeps
    this.client = client
    this.observer = observer
    this.budget = budget
  }

  override write(chunk: Buffer): boolean {
    if (this.observer !== null) this.look(chunk)
    return super.write(chunk)
  }

  override end(trailers: Headers | null): void {
    const { observer, buffered, size } = this
    this.stop()
    if (this.keeps) observer?.passed(Bytes.fromBuffer(buffered.subarray(0, size)))
    super.end(trailers)
  }

  override fail(error: Error): void {
    this.stop()
    super.fail(error)
  }

  override cancel(): void {
    this.stop()
    super.cancel()
  }

  private look(chunk: Buffer): void {
    const end = this.size + chunk.length
    if (end > this.limit) {
      this.observer?.tooLarge()
      return this.stop()
    }
    if (this.keeps && end > this.buffered.length) {
      const room = Math.min(this.limit, Math.max(end, 2 * this.buffered.length))
      if (!this.budget.take(room - this.buffered.length, this.client)) return this.stop()
      const larger = Buffer.allocUnsafeSlow(room)
      this.buffered.copy(larger, 0, 0, this.size)
      this.buffered = larger
    }
    if (this.keeps) chunk.copy(this.buffered, this.size)
    this.size = end
  }

  private stop(): void {
    this.observer = null
    this.budget.giveBack(this.buffered.length, this.client)
    this.buffered = NOTHING
  }
}
