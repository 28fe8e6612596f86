import { setTimeout as delay } from 'node:timers/promises'

/**
 * Starts that many tasks per second at even intervals, each on schedule whatever happened to earlier ones, for that many seconds; `begin`
 * is passed the scheduled time, in milliseconds of performance.now().
 */
export async function openLoop(rate: number, seconds: number, begin: (due: number) => void): Promise<void> {
  const start = performance.now()
  const count = Math.round(rate * seconds)
  for (let i = 0; i < count;) {
    const due = start + (i * 1000) / rate
    const wait = due - performance.now()
    if (wait > 0) {
      await delay(wait)
      continue
    }
    begin(due)
    i++
  }
}
