import type { Clock } from '../core/clock.ts'

/** Looks at the time within one time-out. */
const STEPS = 5

/** Somebody who waits. */
interface Wait {
  /** Looks at the time before it began. */
  readonly step: number
  readonly start: number
  readonly expired: () => void
}

/**
 * Time-outs that a pause of the process does not use up. However long the process was stopped, throttled or busy, that is
 * one step of five: the others pass while it can hear what it waits for. And before it gives up, it reads what has come.
 */
export class LoopTime {
  private readonly clock: Clock
  private readonly timeout: number
  private readonly turn: (task: () => void) => void
  private readonly waits = new Set<Wait>()
  private steps = 0
  private stop: (() => void) | null = null

  /** `timeout` in milliseconds; `turn` runs a task when the event loop has read its sockets. */
  constructor(clock: Clock, timeout: number, turn: (task: () => void) => void = setImmediate) {
    this.clock = clock
    this.timeout = timeout
    this.turn = turn
  }

  /** Calls `expired` when the time-out is over, unless the returned function is called first: that says whether it was. */
  wait(expired: () => void): () => boolean {
    const wait = { step: this.steps, start: this.clock.now(), expired }
    this.waits.add(wait)
    this.stop ??= this.clock.every(this.timeout / STEPS, () => this.look())
    return () => this.waits.delete(wait)
  }

  /** Nobody waits any more. */
  close(): void {
    this.waits.clear()
    this.rest()
  }

  private look(): void {
    this.steps++
    const [oldest] = this.waits
    if (oldest === undefined) return this.rest()
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

  private rest(): void {
    this.stop?.()
    this.stop = null
  }
}
