import { z } from 'zod'
import { isToken } from '../../core/field.ts'
import { hashBy } from '../balancers/hash-key.ts'

const weightsExpected = 'expected services with their weights, at least one of them above 0'

/** Schema of how the requests of a route are divided between services. */
export const splitSchema = z.strictObject({
  services: z
    .record(z.string(), z.int().min(0).max(1_000_000))
    .refine((weights) => Object.values(weights).some((weight) => weight > 0), weightsExpected)
    .describe(
      'Services, and the weights by which requests are divided between them; 0 for one that only a header or a cookie leads to.',
    ),
  header: z
    .string()
    .refine(isToken, 'expected the name of a header')
    .optional()
    .describe('Name of a header with which a request names the service that it wants.'),
  cookie: z
    .string()
    .refine(isToken, 'expected the name of a cookie')
    .optional()
    .describe('Name of a cookie that does so. The header goes before.'),
  sticky: hashBy
    .optional()
    .describe(
      'What requests have in common that go to the same service: consumer (the user, or the owner of the API key; anonymous ' +
        'ones by address), ip, or a { header }, { cookie } or { query } parameter. Default nothing: each is sent on its own.',
    ),
})

export type SplitConfig = z.output<typeof splitSchema>
