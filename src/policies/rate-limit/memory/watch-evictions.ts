import type { Clock } from '../../../core/clock.ts'
import type { Logger } from '../../../core/logger.ts'
import type { SharedTable } from './table.ts'

/** Interval of checks, and so the minimum time between two log lines, in milliseconds. */
const INTERVAL = 60_000

/**
 * Warns, at most once a minute, that the table was full, so that counts were lost. One thread does this for the whole process.
 * Returns a function that stops it.
 */
export function watchEvictions(table: SharedTable, clock: Clock, log: Logger): () => void {
  let seen = table.evictions
  return clock.every(INTERVAL, () => {
    const { evictions, size } = table
    // The counter has 32 bits and wraps around.
    const count = (evictions - seen) >>> 0
    seen = evictions
    if (count > 0)
      log.warn(
        { evictions: count, entries: size },
        'The table of rate-limit counts is full, and the counts of some clients were dropped: raise stores.memory.entries',
      )
  })
}
