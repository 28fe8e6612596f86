import { totalmem } from 'node:os'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'

const MEGABYTE = 1024 * 1024
/** What is kept free for all that lies outside of heaps: buffers, code, stacks. */
const HEAPS = 0.75
/** What the process takes besides its workers, in megabytes. */
const MAIN = 96
/** The least and the most that the heap of a worker may have, in megabytes; the most is V8's own. */
const LEAST_HEAP = 96
const MOST_HEAP = 4096

/** How often the memory is looked at, in milliseconds. */
const LOOK = 5_000
/** Parts of the limit: above the one it is said that memory is short, and below the other that it no longer is. */
const HIGH = 0.9
const LOW = 0.8

/**
 * What the process may take in bytes, by its configuration or else by its cgroup as the system tells it; null where nothing
 * bounds it but the machine.
 */
export function memoryLimit(
  configured: number | undefined,
  constrained: number = process.constrainedMemory(),
  total: number = totalmem(),
): number | null {
  if (configured !== undefined) return configured
  return constrained > 0 && constrained < total ? constrained : null
}

/**
 * What the heap of each worker may take, in megabytes: together they leave room below the limit, so that a leak ends the
 * worker that has it, which is replaced, and not the process.
 */
export function heapLimit(limit: number, workers: number): number {
  const share = Math.floor(((limit / MEGABYTE) * HEAPS - MAIN) / workers)
  return Math.min(Math.max(share, LEAST_HEAP), MOST_HEAP)
}

/** What the process takes, in bytes; 0 where the system does not say, as without /proc. */
export function residentMemory(): number {
  try {
    return process.memoryUsage.rss()
  } catch {
    return 0
  }
}

/** Says when the process is about to reach the limit, and when that is over. Returns what ends it. */
export function watchMemory(
  limit: number,
  clock: Clock,
  log: Logger,
  resident: () => number = residentMemory,
): () => void {
  let high = false
  return clock.every(LOOK, () => {
    const bytes = resident()
    if (high ? bytes >= limit * LOW : bytes <= limit * HIGH) return
    high = !high
    const fields = { resident_bytes: bytes, limit_bytes: limit }
    if (high) log.warn(fields, 'Memory is short: the process is about to reach its limit')
    else log.info(fields, 'Memory is no longer short')
  })
}
