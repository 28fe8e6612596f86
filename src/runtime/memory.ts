import { totalmem } from 'node:os'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'

const MEGABYTE = 1024 * 1024
/** Fraction of the memory for heaps; the rest is for everything outside of them: buffers, code, stacks. */
const HEAPS = 0.75
/** Memory of the process apart from its workers, in megabytes. */
const MAIN = 96
/** Minimum and maximum heap size of a worker, in megabytes; the maximum is V8's own. */
const MIN_HEAP = 96
const MAX_HEAP = 4096

/** Interval between memory checks, in milliseconds. */
const LOOK = 5_000
/** Fractions of the limit: memory shortage is reported above the first one, and its end below the second one. */
const HIGH = 0.9
const LOW = 0.8

/** The memory limit of the process in bytes, from its configuration or otherwise from its cgroup; null if only the machine limits it. */
export function memoryLimit(
  configured: number | undefined,
  constrained: number = process.constrainedMemory(),
  total: number = totalmem(),
): number | null {
  if (configured !== undefined) return configured
  return constrained > 0 && constrained < total ? constrained : null
}

/**
 * The heap limit of each worker, in megabytes: together they leave room below the process limit, so that a memory leak ends the worker that
 * has it, which is replaced, and not the process.
 */
export function heapLimit(limit: number, workers: number): number {
  const share = Math.floor(((limit / MEGABYTE) * HEAPS - MAIN) / workers)
  return Math.min(Math.max(share, MIN_HEAP), MAX_HEAP)
}

/** Resident memory of the process, in bytes; 0 if unknown, for example without /proc. */
export function residentMemory(): number {
  try {
    return process.memoryUsage.rss()
  } catch {
    return 0
  }
}

/** Reports when the process approaches its limit, and when that is over. Returns a function that stops this. */
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
