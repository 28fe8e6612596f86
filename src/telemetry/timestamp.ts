import type { Clock } from '../core/clock.ts'

/** Returns a function for the wall-clock time as RFC 3339 text with milliseconds, which is formatted only once per millisecond. */
export function createTimestamp(clock: Clock): () => string {
  let last = Number.NaN
  let text = ''
  return () => {
    const now = clock.wall()
    if (now === last) return text
    last = now
    text = new Date(now).toISOString()
    return text
  }
}
