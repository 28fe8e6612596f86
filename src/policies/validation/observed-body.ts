import { type BodyStream, Budget, Bytes } from '../../http/body.ts'
import type { Headers } from '../../http/headers.ts'
import { PassingBody } from '../../http/passing-body.ts'

/** Whoever is told of a body that has passed; told at most once. */
export interface Observer {
  /** All of it. */
  passed(body: Bytes): void
  /** It has more octets than were to be kept. */
  tooLarge(): void
}

/** How a body is looked at. */
export interface Observation {
  /** Octets that it may have. */
  readonly limit: number
  readonly keeps: boolean
  readonly client: string
}

const NOTHING = Buffer.alloc(0)

/** Of a thread: octets of all bodies that are being observed. */
const shared = new Budget(64 * 1024 ** 2)

/**
 * A body that goes on as it comes while its octets are kept, for somebody to look at when all of it has passed. Where the
 * budget has no room for it, nobody is told anything.
 */
export class ObservedBody extends PassingBody {
  private readonly limit: number
  private readonly keeps: boolean
  private readonly client: string
  private readonly budget: Budget
  private observer: Observer | null
  private kept: Buffer = NOTHING
  private size = 0

  /** For the client of that address. With `keeps` false, its octets are only counted, and nobody is told what has passed. */
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
    const { observer, kept, size } = this
    this.stop()
    if (this.keeps) observer?.passed(Bytes.fromBuffer(kept.subarray(0, size)))
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
    if (this.keeps && end > this.kept.length) {
      const room = Math.min(this.limit, Math.max(end, 2 * this.kept.length))
      if (!this.budget.take(room - this.kept.length, this.client)) return this.stop()
      const larger = Buffer.allocUnsafeSlow(room)
      this.kept.copy(larger, 0, 0, this.size)
      this.kept = larger
    }
    if (this.keeps) chunk.copy(this.kept, this.size)
    this.size = end
  }

  private stop(): void {
    this.observer = null
    this.budget.giveBack(this.kept.length, this.client)
    this.kept = NOTHING
  }
}
