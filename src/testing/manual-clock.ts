import type { Clock } from '../core/clock.ts'

interface Timer {
  readonly at: number
  /** Of two timers that are due at the same time, the one that was set first runs first. */
  readonly order: number
  readonly run: () => void
}

/** A clock that stands still until `advance`, which runs due timers in the order of their times. */
export class ManualClock implements Clock {
  private elapsed = 0
  private origin: number
  private readonly due = new Set<Timer>()
  /** The timers, including cancelled ones, as a binary heap: the next one is first. */
  private readonly heap: Timer[] = []
  private set = 0

  /** `wall` is its wall-clock time at the start, in milliseconds since 1970-01-01T00:00:00Z. */
  constructor(wall = Date.UTC(2024, 0, 15, 10, 30)) {
    this.origin = wall
  }

  now(): number {
    return this.elapsed
  }

  wall(): number {
    return this.origin + this.elapsed
  }

  after(ms: number, task: () => void): () => void {
    const timer = { at: this.elapsed + ms, order: this.set++, run: task }
    this.due.add(timer)
    this.push(timer)
    return () => this.due.delete(timer)
  }

  every(ms: number, task: () => void): () => void {
    const repeat = (): void => {
      cancel = this.after(ms, repeat)
      task()
    }
    let cancel = this.after(ms, repeat)
    return () => cancel()
  }

  /** Advances the time, in milliseconds. */
  advance(ms: number): void {
    const end = this.elapsed + ms
    for (let timer = this.heap[0]; timer !== undefined && timer.at <= end; timer = this.heap[0]) {
      this.pop()
      if (!this.due.delete(timer)) continue
      this.elapsed = timer.at
      timer.run()
    }
    this.elapsed = end
  }

  /** Moves the wall clock forward or back, in milliseconds, without time passing. */
  step(ms: number): void {
    this.origin += ms
  }

  /** Number of pending timers. */
  get pending(): number {
    return this.due.size
  }

  private push(timer: Timer): void {
    const { heap } = this
    let at = heap.length
    while (at > 0) {
      const above = (at - 1) >> 1
      if (isBefore(heap[above]!, timer)) break
      heap[at] = heap[above]!
      at = above
    }
    heap[at] = timer
  }

  /** Removes the first one. */
  private pop(): void {
    const { heap } = this
    const last = heap.pop()!
    if (heap.length === 0) return
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      if (below >= heap.length) break
      if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below++
      if (isBefore(last, heap[below]!)) break
      heap[at] = heap[below]!
      at = below
    }
    heap[at] = last
  }
}

function isBefore(one: Timer, other: Timer): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order)
}
