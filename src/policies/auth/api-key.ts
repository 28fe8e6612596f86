import { hash } from 'node:crypto'
import { z } from 'zod'
import { fieldName } from '../field-name.ts'
import { configuredApiKeys } from './api-key-store.ts'
import { CredentialError } from './credential-error.ts'
import { onlyField, queryParameter, withoutParameter } from './credentials.ts'
import { defineAuthMethod } from './method.ts'

const DIGEST = /^[0-9a-f]{64}$/i

const keySchema = z.strictObject({
  id: z.string().min(1).describe('Name of the key in limits and lists; no two keys share it.'),
  sha256: z
    .string()
    .superRefine((text, context) => {
      // Not shown, as it may be the key itself.
      if (!DIGEST.test(text))
        context.addIssue({
          code: 'custom',
          message: 'expected the SHA-256 digest of the key, 64 hexadecimal digits',
          input: '[redacted]',
        })
    })
    .describe('SHA-256 digest of the key, in hexadecimal.'),
  owner: z.string().min(1).optional().describe('Whom the key stands for: X-User-ID. Default the id of the key.'),
  tier: z.string().min(1).default('api_key').describe('Tier of the consumer. Default api_key.'),
  roles: z.string().min(1).array().default([]).describe('Roles of the consumer. Default none.'),
  expires: z
    .union(
      [z.iso.date(), z.iso.datetime({ offset: true })],
      'expected a date such as "2027-01-31" or "2027-01-31T12:00:00Z"',
    )
    .transform((text) => Date.parse(text))
    .optional()
    .describe('When the key ends: a date, at whose beginning (UTC) it does, or a time. Default never.'),
})

/** API keys, in a header field or a query parameter. */
export const apiKey = defineAuthMethod({
  name: 'api-key',
  kind: 'key',
  summary: 'API keys in a header or a query parameter; the configuration holds only their digests.',
  options: z.strictObject({
    header: fieldName.default('X-API-Key').describe('Header that carries the key. Default X-API-Key.'),
    query: z
      .string()
      .min(1)
      .optional()
      .describe('Query parameter that may carry the key where there is no header: for clients that cannot send one.'),
    keys: keySchema.array().default([]).superRefine(refuseDuplicates).describe('The keys.'),
  }),
  document({ header, query }) {
    const inHeader = { name: 'apiKey', scheme: { type: 'apiKey', in: 'header', name: header } }
    if (query === undefined) return [inHeader]
    return [inHeader, { name: 'apiKeyInQuery', scheme: { type: 'apiKey', in: 'query', name: query } }]
  },
  create({ header, query, keys }, { clock }) {
    const store = configuredApiKeys(keys)
    return {
      authenticate(exchange) {
        const sent =
          onlyField(exchange.headers, header) ??
          (query === undefined ? undefined : queryParameter(exchange.query, query))
        if (sent === undefined || sent === '') return null
        const key = store.find(hash('sha256', sent, 'buffer'))
        if (key === null) throw new CredentialError('key')
        if (key.expires <= clock.wall()) throw new CredentialError('expired-key')
        return key.identity
      },
      conceal(exchange) {
        exchange.headers.delete(header)
        if (query !== undefined) exchange.query = withoutParameter(exchange.query, query)
      },
    }
  },
})

function refuseDuplicates(keys: readonly { id: string; sha256: string }[], context: z.RefinementCtx): void {
  for (const member of ['id', 'sha256'] as const) {
    const values = keys.map((key) => key[member].toLowerCase())
    for (const [i, value] of values.entries()) {
      const first = values.indexOf(value)
      if (first !== i)
        context.addIssue({ code: 'custom', path: [i, member], message: `the same ${member} as keys[${first}]` })
    }
  }
}
