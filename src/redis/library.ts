import { createRequire } from 'node:module'
import type * as Library from 'ioredis'

const require = createRequire(import.meta.url)

/** The client of Redis, loaded where Redis is configured: it takes some 5 MB of each thread. */
export function ioredis(): typeof Library {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- require knows no types
  return require('ioredis') as typeof Library
}
