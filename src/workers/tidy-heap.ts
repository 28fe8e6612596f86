import { getHeapStatistics } from 'node:v8'
import { collect } from './collect.ts'

/** A heap larger than this, in bytes, is left alone: collecting it takes longer, and it will not be idle. */
const LARGE = 48 * 1024 ** 2

/**
 * Collects the garbage left by the start of a thread: V8 keeps 25 to 30 MB of it until there is work to do, which in an idle gateway is
 * never. Takes about 30 ms, so it runs before the thread starts serving.
 */
export function tidyHeap(): void {
  if (getHeapStatistics().used_heap_size <= LARGE) collect('last-resort')
}
