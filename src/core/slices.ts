import type { Clock } from './clock.ts'

/** How long work goes on at a time, in milliseconds. */
const SLICE = 5

/** Resolves once everything else has had its turn. */
export function otherTurns(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve))
}

/** Long work that yields after each of its steps, and returns what comes of it. */
export type Steps<Made = void> = Generator<undefined, Made, undefined>

/** What comes of work whose steps are all taken at once. */
export function takeAll<Made>(steps: Steps<Made>): Made {
  let step = steps.next()
  while (step.done !== true) step = steps.next()
  return step.value
}

/**
 * The time of long work in a thread that answers requests meanwhile. Whoever does it looks after each item whether its time is
 * `over`, and awaits the `next` slice then.
 */
export class Slices {
  private readonly clock: Clock
  private end: number

  constructor(clock: Clock) {
    this.clock = clock
    this.end = clock.now() + SLICE
  }

  get over(): boolean {
    return this.clock.now() >= this.end
  }

  /** What comes of work whose steps are taken in slices. */
  async take<Made>(steps: Steps<Made>): Promise<Made> {
    let step = steps.next()
    for (; step.done !== true; step = steps.next()) if (this.over) await this.next()
    return step.value
  }

  /** Resolves once everything else has had its turn. */
  async next(): Promise<void> {
    await otherTurns()
    this.end = this.clock.now() + SLICE
  }
}
