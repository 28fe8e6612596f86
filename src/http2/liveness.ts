import type { Deadlines, Timed } from '../http/deadlines.ts'

/**
 * After how much silence a service is sent a PING, in milliseconds: the first one, and each further one while it sends
 * nothing else. gRPC servers close a connection that sends more than two PINGs in five minutes.
 */
const QUIET = [5_000, 30_000, 120_000]
const MAX_QUIET = 330_000
/** How long it has to answer, in milliseconds: the default of gRPC, as a service with one thread may be busy for a while. */
const ANSWER = 20_000

export interface LivenessOptions {
  readonly deadlines: Deadlines
  /** Whether any exchange waits on the connection. */
  readonly waits: () => boolean
  /** Sends a PING. */
  readonly ask: () => void
  /** There was no answer. */
  readonly dead: () => void
}

/**
 * Detects a dead connection while exchanges wait on it: the operating system may never notice, for example after a
 * power failure of the peer (RFC 9113 section 6.7).
 */
export class Liveness implements Timed {
  deadline = Number.POSITIVE_INFINITY
  watchIndex = -1
  private readonly options: LivenessOptions
  private receivedAt: number
  /** PINGs sent since the service last sent anything but answers to them. */
  private pingsSent = 0
  private awaited = false

  constructor(options: LivenessOptions) {
    this.options = options
    this.receivedAt = options.deadlines.now
    options.deadlines.watch(this)
  }

  /** An exchange starts waiting. */
  begin(): void {
    if (this.deadline === Number.POSITIVE_INFINITY) this.deadline = this.due
  }

  /** Bytes have arrived. */
  received(): void {
    this.receivedAt = this.options.deadlines.now
    if (!this.awaited) return
    this.awaited = false
    this.deadline = this.due
  }

  /** A message has progressed. */
  moved(): void {
    if (this.pingsSent === 0) return
    this.pingsSent = 0
    this.deadline = this.due
  }

  onDeadline(): void {
    const { deadlines, waits, ask, dead } = this.options
    if (this.awaited) return dead()
    if (!waits()) return
    const { due } = this
    if (due > deadlines.now) {
      this.deadline = due
      return
    }
    this.pingsSent++
    this.awaited = true
    this.deadline = deadlines.in(ANSWER)
    ask()
  }

  close(): void {
    this.options.deadlines.forget(this)
  }

  private get due(): number {
    return this.receivedAt + (QUIET[this.pingsSent] ?? MAX_QUIET)
  }
}
