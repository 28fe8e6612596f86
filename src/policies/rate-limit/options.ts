import { z } from 'zod'
import { algorithms, storeFailureModes } from './meter.ts'
import { limitStores } from './limit-stores.ts'
import { rates } from './rate.ts'

const nameExpected = 'expected a name of letters, digits, ".", "_" and "-"'
const tierName = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, nameExpected)

const tiers = z
  .object({
    authenticated: rates.prefault('1000/h').describe('Users that have signed in, each by its id. Default 1000/h.'),
    unauthenticated: rates
      .prefault('100/h')
      .describe('Everybody else, by address; of IPv6 by the network of 64 bits. Default 100/h.'),
    api_key: rates.prefault('10000/h').describe('API keys, each for itself. Default 10000/h.'),
  })
  .catchall(rates)
  .superRefine((all, context) => {
    for (const name of Object.keys(all))
      if (!tierName.safeParse(name).success) context.addIssue({ code: 'custom', path: [name], message: nameExpected })
  })

/** Options of the rate-limit policy. */
export const rateLimitOptions = z
  .strictObject({
    tiers: tiers
      .prefault({})
      .describe(
        'Tier -> a rate such as "1000/h", a list of rates that all count, or false for no limit. Consumers of a tier ' +
          'that is not named here have the rates of authenticated.',
      ),
    consumers: z
      .record(z.string().min(1), rates)
      .default({})
      .describe('Id of a user or of an API key -> its own rates in place of those of its tier.'),
    algorithm: z
      .enum(algorithms)
      .default('fixed-window')
      .describe('How requests are counted: see docs/rate-limits.md. Default fixed-window.'),
    cost: z.int().min(1).max(1_000_000).default(1).describe('What a request uses up. Default 1.'),
    store: z
      .enum(limitStores)
      .optional()
      .describe('Where counts are kept. Default redis where stores.redis is configured, else memory.'),
    onStoreFailure: z
      .enum(storeFailureModes)
      .default('local')
      .describe(
        'While Redis does not answer: local counts in memory, open admits everything, closed refuses everything with ' +
          '503. Default local.',
      ),
    headers: z.boolean().default(true).describe('Whether replies carry RateLimit and RateLimit-Policy. Default true.'),
    legacyHeaders: z
      .boolean()
      .default(false)
      .describe('Whether replies carry X-RateLimit-Limit, -Remaining and -Reset, in seconds. Default false.'),
  })
  .superRefine(({ cost, tiers: named, consumers }, context) => {
    const quotas = [...Object.values(named), ...Object.values(consumers)].flat()
    const least = Math.min(...quotas.map(({ limit }) => limit))
    if (cost > least)
      context.addIssue({ code: 'custom', path: ['cost'], message: `more than the rate of ${least} ever admits` })
  })

export type RateLimitOptions = z.output<typeof rateLimitOptions>
