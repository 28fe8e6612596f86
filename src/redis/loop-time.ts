import type { Clock } from '../core/clock.ts'

/** Number of clock checks within one timeout. */
const STEPS = 5

/** A pending timeout. */
interface Wait {
  /** Number of the clock check at which it started. */
  readonly step: number
  readonly start: number
  readonly expired: () => void
}

/**
 * Timeouts that are not used up by a pause of the process. However long the process was stopped, throttled or busy, the pause counts as one
 * of five steps; the others elapse while replies can be received. Before a timeout expires, the replies that have already arrived are read.
 */
export class LoopTime {
  private readonly clock: Clock
  private readonly timeout: number
  private readonly turn: (task: () => void) => void
  private readonly waits = new Set<Wait>()
  private steps = 0
  private stop: (() => void) | null = null

  /** `timeout` in milliseconds; `turn` runs a task after the event loop has read its sockets. */
  constructor(clock: Clock, timeout: number, turn: (task: () => void) => void = setImmediate) {
    this.clock = clock
    this.timeout = timeout
    this.turn = turn
  }

  /** Calls `expired` when the timeout has elapsed, unless the returned function is called first; that returns whether it had expired. */
  wait(expired: () => void): () => boolean {
    const wait = { step: this.steps, start: this.clock.now(), expired }
    this.waits.add(wait)
    this.stop ??= this.clock.every(this.timeout / STEPS, () => this.look())
    return () => this.waits.delete(wait)
  }

  /** Cancels all timeouts. */
  close(): void {
    this.waits.clear()
    this.stopLooking()
  }

  private look(): void {
    this.steps++
    const [oldest] = this.waits
    if (oldest === undefined) return this.stopLooking()
    if (this.isOver(oldest)) this.turn(() => this.expire())
  }

  private expire(): void {
    for (const wait of this.waits) {
      if (!this.isOver(wait)) return
      this.waits.delete(wait)
      wait.expired()
    }
  }

  private isOver({ step, start }: Wait): boolean {
    return this.steps - step >= STEPS && this.clock.now() - start >= this.timeout
  }

  private stopLooking(): void {
    this.stop?.()
    this.stop = null
  }
}
