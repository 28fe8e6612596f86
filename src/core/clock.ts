import { performance } from 'node:perf_hooks'

/** Source of time and timers. Passed in wherever it is needed, so that tests can control it. */
export interface Clock {
  /** Monotonic milliseconds, with fractions, from an origin shared by all threads; unaffected by wall-clock adjustments. */
  now(): number
  /** Wall-clock milliseconds since 1970-01-01T00:00:00Z. */
  wall(): number
  /**
   * Calls `task` every `ms` milliseconds, at least every 24 days, until the returned function is called. Does not keep the process alive.
   */
  every(ms: number, task: () => void): () => void
  /** Calls `task` once after `ms` milliseconds unless the returned function is called first. Does not keep the process alive. */
  after(ms: number, task: () => void): () => void
}

/**
 * performance.now() counts from the start of its thread, hrtime from one origin for all threads. A thread that is preempted between the two
 * calls computes an origin that is too early, so the latest of several samples is the right one.
 */
const ORIGIN = Math.max(...Array.from({ length: 8 }, () => Number(process.hrtime.bigint()) / 1e6 - performance.now()))

/** The system clock. `performance` is imported because the global of that name is looked up on every use. */
export const systemClock: Clock = {
  now: () => ORIGIN + performance.now(),
  wall: () => Date.now(),
  every(ms, task) {
    const timer = setInterval(task, Math.min(ms, MAX_DELAY))
    timer.unref()
    return () => clearInterval(timer)
  },
  after(ms, task) {
    let timer: NodeJS.Timeout
    const wait = (left: number): void => {
      timer = left <= MAX_DELAY ? setTimeout(task, left) : setTimeout(wait, MAX_DELAY, left - MAX_DELAY)
      timer.unref()
    }
    wait(ms)
    return () => clearTimeout(timer)
  },
}

/** Resolves after `ms` milliseconds. Does not keep the process alive. */
export function pause(ms: number, clock: Clock): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve))
}

/** The longest timer delay that Node supports, in milliseconds: 2^31 - 1, almost 25 days. */
export const MAX_DELAY = 2 ** 31 - 1
