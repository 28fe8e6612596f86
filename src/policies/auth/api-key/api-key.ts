import { hash } from 'node:crypto'
import { z } from 'zod'
import { duplicatesOf } from '../../../core/duplicates.ts'
import { fieldName } from '../../field-name.ts'
import { duration } from '../../../core/units.ts'
import { configuredApiKeys } from './configured-api-keys.ts'
import { consumerRoles, consumerTier, keyOwner } from '../consumer-options.ts'
import { CredentialError } from '../credential-error.ts'
import { onlyField, queryParameter, withoutParameter } from '../credentials.ts'
import { keyExpiry } from './key-expiry.ts'
import { defineAuthMethod } from '../method.ts'
import { KEY_TIER } from './key-request.ts'
import { SharedApiKeys } from './shared-api-keys.ts'
import { forgetKeysTopic, keyUsesTopic } from './topics.ts'

const DIGEST = /^[0-9a-f]{64}$/i
const digestExpected = 'expected the SHA-256 digest of the key, 64 hexadecimal digits'

const keySchema = z.strictObject({
  id: z
    .string()
    .min(1)
    .describe(
      'Name of the key in limits, lists, log and metrics. It must be unique, except that keys being replaced by a new one can share it if they have `expires`.',
    )
    .meta({ examples: ['partner'] }),
  sha256: z
    .string(digestExpected)
    .superRefine((text, context) => {
      // Not shown, as it may be the key itself.
      if (!DIGEST.test(text))
        context.addIssue({
          code: 'custom',
          message: digestExpected,
          input: '[redacted]',
        })
    })
    .describe('SHA-256 digest of the key, in hexadecimal.')
    .meta({ examples: ['f2ca1bb6c7e907d06dafe4687e579fce76b37e4e93b7605022da52e6ccc26fd2'] }),
  prefix: z
    .string()
    .min(1)
    .max(16)
    .optional()
    .describe('How the key starts, to tell keys apart; never the whole key.')
    .meta({ examples: ['sp_eaf9c494'] }),
  owner: keyOwner,
  tier: consumerTier(KEY_TIER),
  roles: consumerRoles,
  expires: keyExpiry
    .optional()
    .describe('When the key expires: a date, at its start (UTC), or a time. Default never.')
    .meta({ examples: ['2030-01-31'] }),
})

const options = z.strictObject({
  header: fieldName.default('X-API-Key').describe('Header with the key. Default X-API-Key.'),
  query: z
    .string()
    .min(1)
    .optional()
    .describe('Query parameter with the key, if the header has none: for clients that cannot send headers.')
    .meta({ examples: ['api_key'] }),
  keys: keySchema
    .array()
    .default([])
    .superRefine(refuseDuplicates)
    .describe('The keys.')
    .meta({
      examples: [
        [
          {
            id: 'partner',
            sha256: 'f2ca1bb6c7e907d06dafe4687e579fce76b37e4e93b7605022da52e6ccc26fd2',
            roles: ['partner'],
          },
        ],
      ],
    }),
  store: z
    .enum(['configuration', 'redis'])
    .default('configuration')
    .describe(
      'Where keys are stored: only under `keys`, or also in the Redis of `stores`, where `sallyport keys` creates and revokes them. Default configuration.',
    ),
  cache: duration
    .prefault('10s')
    .describe('How long lookups in Redis are cached; a revoked key may work for that long. Default 10s.'),
  cacheSize: z
    .int()
    .min(1)
    .default(10_000)
    .describe('Lookups, of valid and invalid keys, that each worker caches. Default 10000.'),
})

/** API keys sent in a header or a query parameter. */
export const apiKey = defineAuthMethod({
  name: 'api-key',
  kind: 'key',
  summary: 'API keys in a header or a query parameter; only their digests are stored.',
  options,
  document({ header, query }) {
    const inHeader = { name: 'apiKey', scheme: { type: 'apiKey', in: 'header', name: header } }
    if (query === undefined) return [inHeader]
    return [inHeader, { name: 'apiKeyInQuery', scheme: { type: 'apiKey', in: 'query', name: query } }]
  },
  fields: ({ header }) => [header],
  secretParameters: ({ query }) => (query === undefined ? [] : [query]),
  usesStores: ({ store }) => store === 'redis',
  create({ header, query, keys, store, ...caching }, toolbox) {
    const { clock, apiKeys, holder, answer } = toolbox
    const configured = configuredApiKeys(keys, toolbox)
    if (store === 'redis' && apiKeys === null) throw new Error('stores.redis is not configured')
    const shared = store === 'redis' && apiKeys !== null ? new SharedApiKeys(apiKeys, caching, clock) : null
    holder.onRelease(answer(keyUsesTopic, (digests) => [...configured.uses(digests), ...(shared?.uses(digests) ?? [])]))
    holder.onRelease(
      answer(forgetKeysTopic, (digests) => {
        shared?.forget(digests)
        return null
      }),
    )
    return {
      authenticate(exchange, checkFailures) {
        const sent =
          onlyField(exchange.headers, header) ??
          (query === undefined ? undefined : queryParameter(exchange.query, query))
        if (sent === undefined || sent === '') return null
        const digest = hash('sha256', sent, 'buffer')
        const known = configured.find(digest) ?? shared?.known(digest) ?? null
        if (known !== null) return known
        if (shared === null) throw new CredentialError('key')
        checkFailures?.(exchange)
        return shared.ask(digest)
      },
      conceal(exchange) {
        exchange.headers.delete(header)
        if (query !== undefined) exchange.query = withoutParameter(exchange.query, query)
      },
    }
  },
})

/** The options of the method after parsing. */
export type ApiKeyOptions = z.output<typeof options>

/** An API key as written in the configuration. */
export type WrittenKey = z.output<typeof keySchema>

function refuseDuplicates(keys: readonly WrittenKey[], context: z.RefinementCtx): void {
  for (const [i, first] of duplicatesOf(keys.map(({ sha256 }) => sha256.toLowerCase())))
    context.addIssue({ code: 'custom', path: [i, 'sha256'], message: `the same sha256 as keys[${first}]` })
  const lasting = keys.flatMap(({ id, expires }, i) => (expires === undefined ? [{ id: id.toLowerCase(), i }] : []))
  for (const [at, first] of duplicatesOf(lasting.map(({ id }) => id)))
    context.addIssue({
      code: 'custom',
      path: [lasting[at]?.i ?? 0, 'id'],
      message: `the same ID as keys[${lasting[first]?.i}]: if one replaces the other, set \`expires\` for the old one`,
    })
}
