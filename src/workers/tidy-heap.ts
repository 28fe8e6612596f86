import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** A heap with more in it, in bytes, is left alone: to collect it takes longer, and it does not stay idle. */
const LARGE = 48 * 1024 ** 2

/** What `--expose-gc` puts into a context. */
const isCollector = (value: unknown): value is (options: { type: 'major'; flavor: 'last-resort' }) => void =>
  typeof value === 'function'

/**
 * Collects what the start of a thread has left behind: V8 keeps 25 to 30 MB of it until there is something to do, which
 * in an idle gateway is never. Takes some 30 ms, so it is for the moment before a thread has anything to serve.
 */
export function tidyHeap(): void {
  if (getHeapStatistics().used_heap_size > LARGE) return
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('globalThis.gc')
  setFlagsFromString('--no-expose-gc')
  if (isCollector(collect)) collect({ type: 'major', flavor: 'last-resort' })
}
