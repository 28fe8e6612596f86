import { setFlagsFromString } from 'node:v8'
import { collect } from './collect.ts'

/**
 * How long V8 waits after a collection before it collects garbage only to give memory back, in milliseconds. Its own 8 seconds
 * are for the tabs of a browser: such a collection also drops compiled code, which the next requests need again.
 */
const QUIET = 600_000

/** Threads collect their garbage themselves, without the help of others. Node only accepts it on its command line. */
export const COLLECTS_ALONE = '--single-threaded-gc'

/** The part of it that may be set later: threads mark garbage themselves, in steps of at most a millisecond. */
const MARKS_ALONE = '--no-concurrent-marking'

/**
 * Whether threads should collect garbage without help, in a process that may use that many cores, by its affinity and by its quota. On
 * one core, helper threads would take it away from the workers for some 40 ms at each major collection.
 */
export function isBetterAlone(cores: number, quota: number): boolean {
  return Math.min(cores, quota) < 2
}

/** Sets the flags of V8's garbage collector for all threads. Must be called before there are others. */
export function setUpCollector(alone: boolean): void {
  setFlagsFromString(`--memory-reducer-delay-ms=${QUIET}`)
  if (!alone || process.execArgv.includes(COLLECTS_ALONE)) return
  // V8 does not expect this change while it marks.
  collect('regular')
  setFlagsFromString(MARKS_ALONE)
}
