import { setFlagsFromString } from 'node:v8'
import { collect } from './collect.ts'

/**
 * How long V8 waits after a collection before it collects garbage only to give memory back, in milliseconds. Its own 8 seconds
 * are for the tabs of a browser: such a collection also drops compiled code, which the next requests need again.
 */
const QUIET = 600_000

/** Workers mark garbage themselves, in steps of at most a millisecond, without the help of other threads. */
export const MARKS_ITSELF = '--no-concurrent-marking'

/**
 * The flags of V8's garbage collector for a process that may use that many cores, by its affinity and by its quota. On one core,
 * helper threads would take it away from the workers for some 40 ms at each major collection.
 */
export function collectorFlags(cores: number, quota: number): readonly string[] {
  const flags = [`--memory-reducer-delay-ms=${QUIET}`]
  return Math.min(cores, quota) < 2 ? [...flags, MARKS_ITSELF] : flags
}

/** Sets the flags for all threads. Must be called before there are others. */
export function setUpCollector(cores: number, quota: number): void {
  const flags = collectorFlags(cores, quota)
  // V8 does not expect this change while it marks.
  if (flags.includes(MARKS_ITSELF)) collect('regular')
  for (const flag of flags) setFlagsFromString(flag)
}
