import { setTimeout as delay } from 'node:timers/promises'

/**
 * Begins so many things a second at even distances, each on time whatever became of those before, until so many seconds are
 * over; `begin` is told when its turn was, in milliseconds of performance.now().
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
