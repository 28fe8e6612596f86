import { createRequire } from 'node:module'
import type * as Library from 'ioredis'

const require = createRequire(import.meta.url)

/** The Redis client library, loaded only where Redis is configured: it takes about 5 MB per thread. */
export function ioredis(): typeof Library {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- require knows no types
  return require('ioredis') as typeof Library
}
