import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** The function that `--expose-gc` adds to a context. */
const isCollector = (
  value: unknown,
): value is (options: { type: 'major'; flavor: 'regular' | 'last-resort' }) => void => typeof value === 'function'

/** Collects all garbage of this thread, and returns when that is done; a last resort also shrinks the young generation. */
export function collect(flavor: 'regular' | 'last-resort'): void {
  setFlagsFromString('--expose-gc')
  const collector: unknown = runInNewContext('globalThis.gc')
  setFlagsFromString('--no-expose-gc')
  if (isCollector(collector)) collector({ type: 'major', flavor })
}
