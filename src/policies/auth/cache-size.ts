import { z } from 'zod'

/** Schema of how many tokens a worker remembers. */
export const cacheSize = z
  .int()
  .min(1)
  .default(10_000)
  .describe('Verified tokens that each worker caches, at about 1 kB each. Default 10000.')
