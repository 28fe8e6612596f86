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

/** Option `owner` of a key: its consumer. */
export const keyOwner = z
  .string()
  .min(1)
  .optional()
  .describe('Consumer that the key stands for: X-User-ID. Default the ID of the key.')
  .meta({ examples: ['partner'] })
