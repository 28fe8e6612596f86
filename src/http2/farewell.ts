import type { Deadlines, Timed } from '../http/deadlines.ts'
import { ErrorCode } from './errors.ts'
import { goawayFrame, MAX_WINDOW, pingFrame } from './frames.ts'
import type { Output } from './output.ts'

/** How long, in milliseconds, a client may still begin streams after the first GOAWAY. */
const LAST_CALL = 1_000
const PING = '\0LASTCAL'

/**
 * The graceful end of a connection in two steps (RFC 9113 section 6.8): the client is asked to begin no more streams;
 * once it has received that, it is told which stream is the last that is served. So requests in transit are not lost.
 */
export class Farewell implements Timed {
  deadline = Number.POSITIVE_INFINITY
  /** Streams beyond this number are not served. */
  last = MAX_WINDOW
  private readonly output: Output
  private readonly deadlines: Deadlines
  private readonly due: () => void
  private asked = false
  private named = false

  /** `due` is called once the client has received the first step, or has had time to. */
  constructor(output: Output, deadlines: Deadlines, due: () => void) {
    this.output = output
    this.deadlines = deadlines
    this.due = due
  }

  /** Whether the last stream has been announced. */
  get said(): boolean {
    return this.named
  }

  /** The first step. */
  ask(): void {
    if (this.asked || this.said) return
    this.asked = true
    this.output.put(goawayFrame(MAX_WINDOW, ErrorCode.noError, '') + pingFrame(PING, false))
    this.deadline = this.deadlines.in(LAST_CALL)
    this.deadlines.watch(this)
  }

  /** A PING was answered. */
  heard(content: string): void {
    if (this.asked && !this.said && content === PING) this.due()
  }

  /** The second step. */
  say(last: number, code: ErrorCode = ErrorCode.noError, text = ''): void {
    this.close()
    this.named = true
    this.last = last
    this.output.put(goawayFrame(last, code, text))
  }

  onDeadline(): void {
    this.due()
  }

  close(): void {
    this.deadlines.forget(this)
  }
}
