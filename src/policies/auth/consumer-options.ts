import { z } from 'zod'

/** Option `tier` of a credential: the tier of its consumer. */
export function consumerTier(byDefault: string) {
  return z.string().min(1).default(byDefault).describe(`Tier of the consumer. Default ${byDefault}.`)
}

/** Option `roles` of a credential: the roles of its consumer. */
export const consumerRoles = z
  .string()
  .min(1)
  .array()
  .default([])
  .describe('Roles of the consumer. Default none.')
  .meta({ examples: [['partner']] })
