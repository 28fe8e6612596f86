import { z } from 'zod'
import { algorithms, storeFailureModes } from './meter.ts'
import { limitStores } from './limit-stores.ts'
import { rates } from './rate.ts'

const nameExpected = 'expected a name of letters, digits, ".", "_" and "-"'
const tierName = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, nameExpected)

const tiers = z
  .object({
    authenticated: rates.prefault('1000/h').describe('Authenticated users, each counted by ID. Default 1000/h.'),
    unauthenticated: rates
      .prefault('100/h')
      .describe('Everyone else, counted by address; by /64 network for IPv6. Default 100/h.'),
    api_key: rates.prefault('10000/h').describe('API keys, each counted on its own. Default 10000/h.'),
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
        'Tier to rate: "1000/h", a list of rates that all apply, or false for no limit. Tiers not listed here get the rates of authenticated.',
      ),
    consumers: z
      .record(z.string().min(1), rates)
      .default({})
      .describe('Rates for single consumers, by ID of the user or API key, instead of those of their tier.')
      .meta({ examples: [{ partner: '50000/h' }] }),
    algorithm: z
      .enum(algorithms)
      .default('fixed-window')
      .describe('Counting algorithm: see docs/rate-limits.md. Default fixed-window.'),
    cost: z.int().min(1).max(1_000_000).default(1).describe('Units that a request costs. Default 1.'),
    store: z
      .enum(limitStores)
      .optional()
      .describe('Where counts are kept. Default redis if stores.redis is configured, otherwise memory.'),
    onStoreFailure: z
      .enum(storeFailureModes)
      .default('local')
      .describe(
        'When Redis does not answer: local counts in memory, open admits everything, closed replies 503. Default local.',
      ),
    headers: z.boolean().default(true).describe('Add RateLimit and RateLimit-Policy to replies. Default true.'),
    legacyHeaders: z
      .boolean()
      .default(false)
      .describe('Add X-RateLimit-Limit, -Remaining and -Reset to replies, in seconds. Default false.'),
  })
  .superRefine(({ cost, tiers: named, consumers }, context) => {
    const quotas = [...Object.values(named), ...Object.values(consumers)].flat()
    const least = Math.min(...quotas.map(({ limit }) => limit))
    if (cost > least)
      context.addIssue({ code: 'custom', path: ['cost'], message: `more than the rate of ${least} ever admits` })
  })

export type RateLimitOptions = z.output<typeof rateLimitOptions>
