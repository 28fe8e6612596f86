import type { BodySink, BodyStream } from '../../http/body.ts'
import type { Deadlines, Timed } from '../../http/deadlines.ts'

/** Octets of a reply that nobody gets which are read so that its connection can be used again. */
const MOST = 65_536
/** How long they are waited for, in milliseconds. */
const PATIENCE = 100

/** Reads a body that nobody wants to its end, if that is near; else what it comes from is closed. */
export function drain(body: BodyStream, deadlines: Deadlines): void {
  if (body.length > MOST) return body.cancel()
  const taker = new Drain(body, deadlines)
  deadlines.watch(taker)
  body.pipe(taker)
}

class Drain implements BodySink, Timed {
  deadline: number
  private readonly body: BodyStream
  private readonly deadlines: Deadlines
  private left = MOST

  constructor(body: BodyStream, deadlines: Deadlines) {
    this.body = body
    this.deadlines = deadlines
    this.deadline = deadlines.in(PATIENCE)
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
