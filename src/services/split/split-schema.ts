import { z } from 'zod'
import { isToken } from '../../core/field.ts'
import { duration } from '../../core/units.ts'
import { hashBy } from '../balancers/hash-key.ts'

const weightsExpected = 'expected services with their weights, at least one of them above 0'

/** Schema of how a route's requests are divided among services. */
export const splitSchema = z.strictObject({
  services: z
    .record(z.string(), z.int().min(0).max(1_000_000))
    .refine((weights) => Object.values(weights).some((weight) => weight > 0), weightsExpected)
    .describe('Services and their weights; 0 for one that is reached only by header or cookie.')
    .meta({ examples: [{ 'user-service': 95, 'user-service-canary': 5 }] }),
  header: z
    .string()
    .refine(isToken, 'expected the name of a header')
    .optional()
    .describe('Header with which a request names the service it wants.')
    .meta({ examples: ['X-Canary'] }),
  cookie: z
    .string()
    .refine(isToken, 'expected the name of a cookie')
    .optional()
    .describe('Cookie with which a request names the service it wants. The header takes precedence.')
    .meta({ examples: ['canary'] }),
  keep: z
    .union([z.literal(true), duration])
    .optional()
    .describe(
      'Set that cookie to the service chosen by weight, so that clients stay with it: a duration, or true for a session cookie. Default not set.',
    ),
  sticky: hashBy
    .optional()
    .describe(
      'What keeps requests on the same service: consumer (the user, or the owner of the API key; anonymous requests by address), ip, or a { header }, { cookie } or { query } parameter. Default none: each request is decided on its own.',
    ),
})

export type SplitConfig = z.output<typeof splitSchema>
