import type { BodySink, BodyStream } from '../../http/body.ts'
import type { Deadlines, Timed } from '../../http/deadlines.ts'

/** Maximum number of bytes of a discarded reply that are read in order to reuse its connection. */
const MAX = 65_536
/** How long to wait for them, in milliseconds. */
const TIMEOUT = 100

/** Reads a discarded body to its end if the end is near; otherwise closes its source. */
export function drain(body: BodyStream, deadlines: Deadlines): void {
  if (body.length > MAX) return body.cancel()
  const taker = new Drain(body, deadlines)
  deadlines.watch(taker)
  body.pipe(taker)
}

class Drain implements BodySink, Timed {
  deadline: number
  watchIndex = -1
  private readonly body: BodyStream
  private readonly deadlines: Deadlines
  private left = MAX

  constructor(body: BodyStream, deadlines: Deadlines) {
    this.body = body
    this.deadlines = deadlines
    this.deadline = deadlines.in(TIMEOUT)
  }

  write(chunk: Buffer): boolean {
    this.left -= chunk.length
    if (this.left >= 0) return true
    this.onDeadline()
    return false
  }

  end(): void {
    this.deadlines.forget(this)
  }

  fail(): void {
    this.deadlines.forget(this)
  }

  onDeadline(): void {
    this.deadlines.forget(this)
    this.body.cancel()
  }
}
