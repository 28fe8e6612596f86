import { z } from 'zod'
import { duration, size } from '../../core/units.ts'
import { fieldName } from '../field-name.ts'
import { repeatStores } from './repeat-stores.ts'

const METHOD = /^[A-Z]{1,32}$/

/** What to do while the store is unavailable: refuse requests with a key, or pass them on unprotected. */
const storeFailureModes = ['closed', 'open'] as const

/** What to do with a repeated request if the first one was sent but its reply is not available. */
const unrepeatableModes = ['refuse', 'forward'] as const

/** Options of the idempotency policy. */
export const idempotencyOptions = z.strictObject({
  methods: z
    .string()
    .regex(METHOD, 'expected a method in upper case such as "POST"')
    .array()
    .min(1)
    .default(['POST', 'PATCH'])
    .describe('Methods that may carry a key. Default [POST, PATCH].'),
  required: z.boolean().default(false).describe('Refuse such requests without a key. Default false.'),
  ttl: duration.prefault('24h').describe('How long a key is remembered. Default 24h.'),
  unrepeatable: z
    .enum(unrepeatableModes)
    .default('refuse')
    .describe(
      'When the first request was sent and its reply is unknown, a stream, or too large to keep: refuse replies 409; forward sends the request again, for services that check the key themselves. Default refuse.',
    ),
  callerFields: fieldName
    .array()
    .default(['Authorization', 'Cookie', 'X-API-Key'])
    .describe(
      'Request headers that tell apart callers whom auth has not identified; the same key with other values is another request. Default [Authorization, Cookie, X-API-Key].',
    ),
  maxBody: size
    .prefault('1mb')
    .describe('Largest reply body to keep; larger ones are passed on and cannot be repeated. Default 1mb.'),
  perClient: size
    .prefault('16mb')
    .describe('Size of the replies kept per client; the oldest are dropped first. Default 16mb.'),
  store: z
    .enum(repeatStores)
    .optional()
    .describe('Where replies are kept. Default redis if stores.redis is configured, otherwise memory.'),
  onStoreFailure: z
    .enum(storeFailureModes)
    .default('closed')
    .describe(
      'When the store does not answer: closed replies 503 to requests with a key, open forwards them unprotected. Default closed.',
    ),
})

export type IdempotencyOptions = z.output<typeof idempotencyOptions>
