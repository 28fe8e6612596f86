import type { Clock } from '../core/clock.ts'
import type { Priority } from '../services/concurrency/priority.ts'
import { type OverloadBounds, OverloadControl } from './control.ts'
import type { Work } from './work.ts'

/** Interval between checks, in milliseconds. */
const LOOK = 20
/** Low-priority requests are shed this many times as often. */
const LOW = 4

/** The dependencies for detecting overload. */
export interface OverloadTools {
  readonly clock: Clock
  readonly random: () => number
  /** The thread's work since the previous call. */
  readonly work: () => Work
}

/** Detects whether a thread is overloaded, and decides which requests it sheds. */
export class Overload {
  /** Whether requests are currently being shed. */
  active = false
  private readonly tools: OverloadTools
  private control = new OverloadControl()
  private stop = (): void => {}

  constructor(bounds: OverloadBounds | false, tools: OverloadTools) {
    this.tools = tools
    this.configure(bounds)
  }

  /** Fraction of normal-priority requests that are shed, from 0 to 1. */
  get part(): number {
    return this.control.part
  }

  /** Applies new limits, or turns shedding off. */
  configure(bounds: OverloadBounds | false): void {
    this.stop()
    this.stop = bounds === false ? () => {} : this.measure(bounds)
    if (bounds !== false) return
    this.control = new OverloadControl()
    this.active = false
  }

  /** Whether a request of that priority is shed; high-priority requests never are. */
  sheds(priority: Priority): boolean {
    if (priority === 'high') return false
    const { part } = this.control
    return this.tools.random() < (priority === 'low' ? part * LOW : part)
  }

  close(): void {
    this.stop()
  }

  /** Checks regularly until the returned function is called. */
  private measure(bounds: OverloadBounds): () => void {
    const { clock, work } = this.tools
    let last = clock.now()
    work()
    return clock.every(LOOK, () => {
      const now = clock.now()
      const since = now - last
      last = now
      const { control } = this
      const { busy, share, waited } = work()
      // If other processes use the CPU most of the time, they cause the delay; only the share of this thread's own work counts.
      control.look(now, Math.max(since - LOOK, waited) * share, busy, since, bounds)
      this.active = control.part > 0
    })
  }
}
