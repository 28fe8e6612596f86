import { type PolicyDocs, type RefusalDocs, retryAfter } from '../policy-docs.ts'
import type { DocumentedOperation } from '../policy-docs.ts'
import { FIELD, MAX_LENGTH } from './key.ts'
import type { IdempotencyOptions } from './options.ts'

/** Documents what idempotency keys mean for callers. */
export function documentIdempotency(options: IdempotencyOptions, { method }: DocumentedOperation): PolicyDocs {
  const { methods, required, onStoreFailure } = options
  if (!methods.includes(method)) return {}
  const refusals: RefusalDocs[] = [
    { code: 'bad-request', description: required ? 'The key is missing or not valid.' : 'The key is not valid.' },
    {
      code: 'idempotency-outstanding',
      description: 'A request with the same key is in progress.',
      fields: [retryAfter],
    },
    {
      code: 'idempotency-unrepeatable',
      description: 'A request with the same key was sent before, and its reply is not available.',
    },
    { code: 'idempotency-key-reused', description: 'The same key was sent with another request.' },
  ]
  if (onStoreFailure === 'closed')
    refusals.push({
      code: 'idempotency-unavailable',
      description: 'The gateway cannot check whether the key was used before.',
      fields: [retryAfter],
    })
  return {
    refusals,
    fields: [
      {
        name: 'Idempotent-Replayed',
        description: 'Whether this is the reply to an earlier request with the same key.',
        example: 'true',
      },
    ],
    parameters: [
      {
        name: FIELD,
        description: 'A key for this request, the same each time that it is sent.',
        example: '"8e03978e-40d5-43dd-bc93-6894a57f9324"',
        required,
        longest: MAX_LENGTH,
      },
    ],
  }
}
