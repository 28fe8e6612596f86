import { performance } from 'node:perf_hooks'

/** Time and randomness for everything that needs them: passed in, so that tests decide both. */
export interface Clock {
  /** Monotonic milliseconds with fractions, from an origin that all threads share; steps of the wall clock are none here. */
  now(): number
  /** Wall-clock milliseconds since 1970-01-01T00:00:00Z. */
  wall(): number
  /** Calls `task` every `ms` milliseconds until the returned function is called; never keeps the process alive. */
  every(ms: number, task: () => void): () => void
  /** Calls `task` once after `ms` milliseconds unless the returned function is called first; never keeps the process alive. */
  after(ms: number, task: () => void): () => void
}

/**
 * performance.now() counts from the start of its thread, hrtime from one point for all. A thread that is interrupted between the two takes
 * the origin to be earlier than it is: the latest of some is the right one.
 */
const ORIGIN = Math.max(...Array.from({ length: 8 }, () => Number(process.hrtime.bigint()) / 1e6 - performance.now()))

/** The machine's own clock. `performance` is imported, as the global of that name is looked up anew at each use. */
export const systemClock: Clock = {
  now: () => ORIGIN + performance.now(),
  wall: () => Date.now(),
  every(ms, task) {
    const timer = setInterval(task, ms)
    timer.unref()
    return () => clearInterval(timer)
  },
  after(ms, task) {
    const timer = setTimeout(task, ms)
    timer.unref()
    return () => clearTimeout(timer)
  },
}

/** Resolves after so many milliseconds; never keeps the process alive. */
export function pause(ms: number, clock: Clock): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve))
}

/** The longest delay in milliseconds that a timer holds: 2^31 - 1, almost 25 days. */
export const LONGEST_DELAY = 2 ** 31 - 1
