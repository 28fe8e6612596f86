import type { Clock } from '../../src/core/clock.ts'

interface Timer {
  readonly at: number
  readonly run: () => void
}

/** A clock that stands still until `advance`, which runs what falls due in the order of its time. */
export class ManualClock implements Clock {
  private elapsed = 0
  private origin: number
  private readonly due = new Set<Timer>()

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
    const timer = { at: this.elapsed + ms, run: task }
    this.due.add(timer)
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

  /** Lets time pass, in milliseconds. */
  advance(ms: number): void {
    const end = this.elapsed + ms
    for (let timer = this.next(end); timer !== undefined; timer = this.next(end)) {
      this.due.delete(timer)
      this.elapsed = timer.at
      timer.run()
    }
    this.elapsed = end
  }

  /** Sets the wall clock on or back, in milliseconds: no time passes. */
  step(ms: number): void {
    this.origin += ms
  }

  /** Number of tasks that wait for their time. */
  get pending(): number {
    return this.due.size
  }

  private next(end: number): Timer | undefined {
    let first: Timer | undefined
    for (const timer of this.due) if (timer.at <= end && (first === undefined || timer.at < first.at)) first = timer
    return first
  }
}
