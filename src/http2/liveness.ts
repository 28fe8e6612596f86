import type { Deadlines, Timed } from '../http/deadlines.ts'

/**
 * After how much silence a service is asked whether it is there, in milliseconds: for the first time, and for those that follow
 * while it sends nothing else. Services of gRPC end a connection on which they are asked more often than twice in five minutes.
 */
const QUIET = [5_000, 30_000, 120_000]
const LONGEST_QUIET = 330_000
/** How long it has to answer, in milliseconds. */
const ANSWER = 5_000

export interface LivenessOptions {
  readonly deadlines: Deadlines
  /** Whether something is waited for on the connection. */
  readonly waits: () => boolean
  /** Sends a PING. */
  readonly ask: () => void
  /** There was no answer. */
  readonly dead: () => void
}

/**
 * Finds out that a connection is dead while exchanges wait for it: nothing may tell the system so, as where a machine has lost its power
 * (RFC 9113 section 6.7).
 */
export class Liveness implements Timed {
  deadline = Number.POSITIVE_INFINITY
  private readonly options: LivenessOptions
  private heardAt: number
  /** How often it was asked since the service has sent anything else than answers. */
  private asked = 0
  private awaited = false

  constructor(options: LivenessOptions) {
    this.options = options
    this.heardAt = options.deadlines.now
    options.deadlines.watch(this)
  }

  /** Something is waited for from now on. */
  begin(): void {
    if (this.deadline === Number.POSITIVE_INFINITY) this.deadline = this.due
  }

  /** Octets have come. */
  heard(): void {
    this.heardAt = this.options.deadlines.now
    this.awaited = false
  }

  /** A message has gone on. */
  moved(): void {
    this.asked = 0
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
    this.asked++
    this.awaited = true
    this.deadline = deadlines.in(ANSWER)
    ask()
  }

  close(): void {
    this.options.deadlines.forget(this)
  }

  private get due(): number {
    return this.heardAt + (QUIET[this.asked] ?? LONGEST_QUIET)
  }
}
