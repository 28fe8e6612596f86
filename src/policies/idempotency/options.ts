import { z } from 'zod'
import { duration, size } from '../../core/units.ts'
import { fieldName } from '../field-name.ts'
import { repeatStores } from './repeat-stores.ts'

const METHOD = /^[A-Z]{1,32}$/

/** What to do while the store does not answer: refuse requests with a key, or pass them on unprotected. */
const storeFailureModes = ['closed', 'open'] as const

/** What becomes of a request whose first one was sent, and whose reply is not at hand. */
const unrepeatableModes = ['refuse', 'forward'] as const

/** Options of the idempotency policy. */
export const idempotencyOptions = z.strictObject({
  methods: z
    .string()
    .regex(METHOD, 'expected a method in upper case such as "POST"')
    .array()
    .min(1)
    .default(['POST', 'PATCH'])
    .describe('Methods whose requests may carry a key. Default [POST, PATCH].'),
  required: z.boolean().default(false).describe('Whether such requests without a key are refused. Default false.'),
  ttl: duration.prefault('24h').describe('How long a key stands for its first request. Default 24h.'),
  unrepeatable: z
    .enum(unrepeatableModes)
    .default('refuse')
    .describe(
      'What becomes of a request whose first one was sent, and whose reply is not at hand: nobody knows what came of it, or it ' +
        'was a stream or too large. refuse answers 409; forward sends it again, for services that look at the key themselves. ' +
        'Default refuse.',
    ),
  callerFields: fieldName
    .array()
    .default(['Authorization', 'Cookie', 'X-API-Key'])
    .describe(
      'Request fields that tell callers apart whom auth has not identified: with others the same key is for another request. ' +
        'Default [Authorization, Cookie, X-API-Key].',
    ),
  maxBody: size
    .prefault('1mb')
    .describe('Replies with a larger body are passed on, and cannot be repeated. Default 1mb.'),
  perClient: size
    .prefault('16mb')
    .describe('Octets of replies of one client that are kept: its oldest ones make way. Default 16mb.'),
  store: z
    .enum(repeatStores)
    .optional()
    .describe('Where replies are kept. Default redis where stores.redis is configured, else memory.'),
  onStoreFailure: z
    .enum(storeFailureModes)
    .default('closed')
    .describe(
      'While the store does not answer: closed refuses requests with a key with 503, open passes them on unprotected. ' +
        'Default closed.',
    ),
})

export type IdempotencyOptions = z.output<typeof idempotencyOptions>
