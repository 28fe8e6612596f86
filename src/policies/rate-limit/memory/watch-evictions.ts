import type { Clock } from '../../../core/clock.ts'
import type { Logger } from '../../../core/logger.ts'
import type { SharedTable } from './table.ts'

/** Between two looks, and so between two lines of the log, in milliseconds. */
const INTERVAL = 60_000

/**
 * Warns, once a minute at most, that the table was full: clients whose counts still counted began anew. One thread of the
 * process does it for all. Returns what ends it.
 */
export function watchEvictions(table: SharedTable, clock: Clock, log: Logger): () => void {
  let seen = table.evictions
  return clock.every(INTERVAL, () => {
    const { evictions, size } = table
    // The counter is of 32 bits and begins anew after the last of them.
    const count = (evictions - seen) >>> 0
    seen = evictions
    if (count > 0)
      log.warn(
        { evictions: count, entries: size },
        'The counts of rate limits have no room left, and some clients began anew: raise stores.memory.entries',
      )
  })
}
