import { z } from 'zod'
import { networks } from '../../core/networks-schema.ts'
import { isFieldValue } from '../../core/field.ts'
import { fieldName } from '../field-name.ts'
import { purgeHook } from './purge-hook.ts'

const secretExpected = 'expected at least 16 characters that a header can carry'
const idExpected = 'expected a host or a name of your own, such as "gateway.example.com"'
const controlExpected = 'expected directives such as "max-age=3600, stale-while-revalidate=60"'

const secretSchema = z.strictObject({
  header: fieldName.describe('Field that the CDN puts it into, such as X-Origin-Verify; services never get it.'),
  values: z
    .string(secretExpected)
    .min(16, secretExpected)
    .refine(isFieldValue, secretExpected)
    .array()
    .min(1)
    .max(10)
    .describe('Secrets that count: while one is replaced, the new and the old one.'),
})

/** Schema of the options of the policy. */
export const cdnOptions = z.strictObject({
  from: networks
    .optional()
    .describe(
      'Addresses and networks of the CDN, or { file } for a file of them, which is read again whenever it changes: one of those who have passed ' +
        'the request on has to be in them, the peer or a trusted proxy.',
    ),
  secret: secretSchema.optional().describe('A secret that the CDN puts into every request.'),
  certificate: z
    .boolean()
    .default(false)
    .describe('Whether the CDN shows a client certificate that the listener accepts. Default false.'),
  others: z
    .enum(['refuse', 'pass'])
    .default('refuse')
    .describe(
      'What becomes of requests that lack something of from, secret and certificate: refuse, with 403, or pass. Default refuse.',
    ),
  loop: z
    .string(idExpected)
    .regex(/^[\w!#$&'*+.^`|~-]+(?::\d{1,5})?$/, idExpected)
    .optional()
    .describe(
      'What this gateway is called in CDN-Loop (RFC 8586): it adds itself there, and refuses what has been here before, with 508. Default none: it does neither.',
    ),
  control: z
    .string(controlExpected)
    .regex(/^[\w-]+(?:=\d+)?(?:,[ ]?[\w-]+(?:=\d+)?)*$/, controlExpected)
    .optional()
    .describe(
      'What the CDN is told of replies that are for everybody, and of which the service does not tell it anything. Default nothing.',
    ),
  controlField: z
    .enum(['CDN-Cache-Control', 'Surrogate-Control', 'Cloudflare-CDN-Cache-Control'])
    .default('CDN-Cache-Control')
    .describe('The field that it stands in. Default CDN-Cache-Control (RFC 9213).'),
  tags: fieldName
    .optional()
    .describe(
      'Field in which the CDN finds the tags of a reply, such as Cache-Tag or Surrogate-Key: they are its Cache-Groups (RFC 9875). Default none.',
    ),
  purge: purgeHook
    .array()
    .max(10)
    .default([])
    .describe(
      'What is asked of the CDN when replies are purged here by an operator, or by Cache-Group-Invalidation of a service.',
    ),
})

export type CdnOptions = z.output<typeof cdnOptions>
