import type { Clock } from '../core/clock.ts'
import type { Priority } from '../services/concurrency/priority.ts'
import { type OverloadBounds, OverloadControl } from './control.ts'
import type { Work } from './work.ts'

/** Between two looks, in milliseconds. */
const LOOK = 20
/** So many times as many of low priority are shed. */
const LOW = 4

/** What the overload of a thread is found out with. */
export interface OverloadTools {
  readonly clock: Clock
  readonly random: () => number
  /** What the thread did since it was asked before. */
  readonly work: () => Work
}

/** Whether a thread has more to do than it can, and what it sheds then. */
export class Overload {
  /** Whether anything is shed at the moment. */
  active = false
  private readonly tools: OverloadTools
  private bounds: OverloadBounds | false
  private control = new OverloadControl()
  private last: number
  private readonly stop: () => void

  constructor(bounds: OverloadBounds | false, tools: OverloadTools) {
    this.bounds = bounds
    this.tools = tools
    this.last = tools.clock.now()
    this.stop = tools.clock.every(LOOK, () => this.look())
  }

  /** The part of the requests of normal priority that is shed, from 0 to 1. */
  get part(): number {
    return this.control.part
  }

  /** Goes by other bounds from now on, or sheds nothing. */
  configure(bounds: OverloadBounds | false): void {
    this.bounds = bounds
    if (bounds !== false) return
    this.control = new OverloadControl()
    this.active = false
  }

  /** Whether a request of that priority is shed: those of high priority never are. */
  sheds(priority: Priority): boolean {
    if (priority === 'high') return false
    const { part } = this.control
    return this.tools.random() < (priority === 'low' ? part * LOW : part)
  }

  close(): void {
    this.stop()
  }

  private look(): void {
    const { bounds, control, tools } = this
    const now = tools.clock.now()
    const since = now - this.last
    this.last = now
    const { busy, share, waited } = tools.work()
    if (bounds === false) return
    // Where others have the processor for most of the time, the thread is late for them: only its own work counts.
    control.look(now, Math.max(since - LOOK, waited) * share, busy, since, bounds)
    this.active = control.part > 0
  }
}
