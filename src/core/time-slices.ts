import type { Clock } from './clock.ts'

/** Length of one time slice, in milliseconds. */
const SLICE = 5

/** Resolves after everything else in the event loop has had its turn. */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve))
}

/** Long-running work that yields after each step and returns a result. */
export type SlicedWork<Made = void> = Generator<undefined, Made, undefined>

/** Runs all steps at once and returns the result. */
export function runToEnd<Made>(steps: SlicedWork<Made>): Made {
  let step = steps.next()
  while (step.done !== true) step = steps.next()
  return step.value
}

/**
 * Time slicing for long-running work in a thread that also handles requests. Check after each item whether the slice is `over`, and if so
 * await the `next` one.
 */
export class TimeSlices {
  private readonly clock: Clock
  private end: number

  constructor(clock: Clock) {
    this.clock = clock
    this.end = clock.now() + SLICE
  }

  get over(): boolean {
    return this.clock.now() >= this.end
  }

  /** Runs the steps in time slices and returns the result. */
  async run<Made>(steps: SlicedWork<Made>): Promise<Made> {
    let step = steps.next()
    for (; step.done !== true; step = steps.next()) if (this.over) await this.next()
    return step.value
  }

  /** Resolves after everything else in the event loop has had its turn. */
  async next(): Promise<void> {
    await yieldToEventLoop()
    this.end = this.clock.now() + SLICE
  }
}
