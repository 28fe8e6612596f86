import type { Clock } from '../core/clock.ts'

/** Gives the wall-clock time as RFC 3339 text with milliseconds, made once for each millisecond that is asked for. */
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
