import { z } from 'zod'
import { networks } from '../../core/networks-schema.ts'
import { isFieldValue } from '../../core/field.ts'
import { fieldName } from '../field-name.ts'
import { purgeHook } from './purge-hook.ts'

const secretExpected = 'expected at least 16 characters that a header can carry'
const idExpected = 'expected a host or a name of your own, such as "gateway.example.com"'
const controlExpected = 'expected directives such as "max-age=3600, stale-while-revalidate=60"'

const secretSchema = z.strictObject({
  header: fieldName
    .describe('Header in which the CDN sends it, such as X-Origin-Verify; removed before the request is forwarded.')
    .meta({ examples: ['X-Origin-Verify'] }),
  values: z
    .string(secretExpected)
    .min(16, secretExpected)
    .refine(isFieldValue, secretExpected)
    .array()
    .min(1)
    .max(10)
    .describe('Accepted secrets: during a rotation, the new and the old one. At least 16 characters each.')
    .meta({ examples: [['${CDN_SECRET}']] }),
})

/** Schema of the options of the policy. */
export const cdnOptions = z.strictObject({
  from: networks
    .optional()
    .describe(
      'Addresses and networks of the CDN, or { file } for a file of them, which is read again whenever it changes. The peer, or a trusted ' +
        'proxy that passed the request on, must be in one of them.',
    )
    .meta({ examples: [['192.0.2.0/24'], [{ file: './cdn-networks.txt' }]] }),
  secret: secretSchema.optional().describe('A secret that the CDN sends with every request.'),
  certificate: z
    .boolean()
    .default(false)
    .describe('Require a client certificate that the listener accepts. Default false.'),
  others: z
    .enum(['refuse', 'pass'])
    .default('refuse')
    .describe('What to do with requests that fail from, secret or certificate: refuse (403) or pass. Default refuse.'),
  loop: z
    .string(idExpected)
    .regex(/^[\w!#$&'*+.^`|~-]+(?::\d{1,5})?$/, idExpected)
    .optional()
    .describe(
      'Name of this gateway in CDN-Loop (RFC 8586). It is added to requests, and a request that has it already gets 508. Default none.',
    )
    .meta({ examples: ['gateway.example.com'] }),
  control: z
    .string(controlExpected)
    .regex(/^[\w-]+(?:=\d+)?(?:,[ ]?[\w-]+(?:=\d+)?)*$/, controlExpected)
    .optional()
    .describe(
      'Cache directives for the CDN, added to replies that are public and have no directives for the CDN themselves. Default none.',
    )
    .meta({ examples: ['max-age=3600'] }),
  controlField: z
    .enum(['CDN-Cache-Control', 'Surrogate-Control', 'Cloudflare-CDN-Cache-Control'])
    .default('CDN-Cache-Control')
    .describe('Header for control. Default CDN-Cache-Control (RFC 9213).'),
  tags: fieldName
    .optional()
    .describe(
      'Header in which the CDN reads the tags of a reply, such as Cache-Tag or Surrogate-Key; filled from Cache-Groups (RFC 9875). Default none.',
    )
    .meta({ examples: ['Cache-Tag', 'Surrogate-Key'] }),
  purge: purgeHook
    .array()
    .max(10)
    .default([])
    .describe(
      'Requests to send to the CDN when an operator purges the cache, or a service sends Cache-Group-Invalidation.',
    )
    .meta({
      examples: [
        [
          {
            url: 'https://cdn.example.com/purge',
            headers: { Authorization: 'Bearer ${CDN_TOKEN}' },
            body: '{"tags": {tags}}',
          },
        ],
      ],
    }),
})

export type CdnOptions = z.output<typeof cdnOptions>
