import type { Deadlines, Timed } from '../http/deadlines.ts'
import { ErrorCode } from './errors.ts'
import { goawayFrame, MAX_WINDOW, pingFrame } from './frames.ts'
import type { Output } from './output.ts'

/** How long, in milliseconds, a client may still begin streams after the first GOAWAY. */
const LAST_CALL = 1_000
const PING = '\0LASTCAL'
/** How long, in milliseconds, after a client has ended its side it is probed whether it still wants its replies. */
const SOON = 200
const PROBES = 2
const PROBE = '\0ANYBODY'

/**
 * The graceful end of a connection in two steps (RFC 9113 section 6.8): the client is asked to begin no more streams;
 * once it has received that, it learns the last stream that is served. So requests in transit are not lost.
 *
 * A client that has ended its side is probed: one that has left answers with a reset. As nothing more is read, that is
 * only noticed by the next write.
 */
export class GracefulShutdown implements Timed {
  deadline = Number.POSITIVE_INFINITY
  watchIndex = -1
  /** Whether the last stream has been announced. */
  announced = false
  private readonly output: Output
  private readonly deadlines: Deadlines
  private readonly due: () => void
  private begun = false
  /** Number of probes that are still to be sent. */
  private probes = 0

  /** `due` is called once the client has received the first step, or has had time to. */
  constructor(output: Output, deadlines: Deadlines, due: () => void) {
    this.output = output
    this.deadlines = deadlines
    this.due = due
  }

  /** The first step. */
  begin(): void {
    if (this.begun || this.announced) return
    this.begun = true
    this.output.put(goawayFrame(MAX_WINDOW, ErrorCode.noError, '') + pingFrame(PING, false))
    this.deadline = this.deadlines.in(LAST_CALL)
    this.deadlines.watch(this)
  }

  /** A PING was answered. */
  pingAnswered(content: string): void {
    if (this.begun && !this.announced && content === PING) this.due()
  }

  /** The second step. */
  announce(last: number, code: ErrorCode = ErrorCode.noError, text = ''): void {
    this.close()
    this.announced = true
    this.output.put(goawayFrame(last, code, text))
  }

  /** The client has ended its side; the last stream has been announced. */
  probe(): void {
    this.probes = PROBES
    this.deadline = this.deadlines.in(SOON)
    this.deadlines.watch(this)
  }

  onDeadline(): void {
    if (this.probes === 0) return this.due()
    this.output.put(pingFrame(PROBE, false))
    if (--this.probes === 0) this.close()
    else this.deadline = this.deadlines.in(0)
  }

  close(): void {
    this.deadlines.forget(this)
  }
}
