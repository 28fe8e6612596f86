import { z } from 'zod'
import { everywhereShape } from '../../core/operation.ts'
import { keyStores } from '../../policies/auth/api-key/managed-keys.ts'
import { handwork } from './written-keys.ts'

const time = z.iso.datetime()

const keyShape = {
  id: z.string(),
  prefix: z.string().nullable().describe('How the key begins; null where that is not known.'),
  owner: z.string().describe('The consumer that it stands for.'),
  tier: z.string(),
  roles: z.string().array().readonly(),
  expiresAt: time.nullable().describe('Null where it does not expire.'),
  store: z.enum(keyStores),
}

const listed = z.object({
  ...keyShape,
  createdAt: time.nullable().describe('Null where that is not known.'),
  replaced: z.boolean().describe('Whether a newer key of the same id has taken its place.'),
  lastUsedAt: time
    .nullable()
    .describe(
      'When this gateway has seen it last, since it started; of keys in Redis to within `cacheSeconds`. Null for not yet.',
    ),
})

/** GET /keys. */
export const keyList = z.object({
  keys: listed.array(),
  store: z.enum(keyStores).nullable().describe('Where new keys go; null where no route asks for any.'),
  redis: z
    .object({
      problem: z.string().nullable().describe('Why its keys cannot be listed; null where they are.'),
      cacheSeconds: z.number().describe('How long a lookup is cached.'),
    })
    .nullable()
    .describe('The Redis with the other keys; null where there is none.'),
})

const change = {
  done: z.boolean().describe('Whether it is done; false where `configuration` has to be changed for it.'),
  configuration: handwork.nullable().describe('What is to be changed there; null for keys in Redis.'),
}

/** POST /keys. */
export const madeKey = z.object({
  ...keyShape,
  key: z.string().describe('What the client sends. It is shown only this once.'),
  ...change,
})

/** POST /keys/{id}/rotate. */
export const rotatedKey = madeKey.extend({
  old: z.object({ prefix: z.string().nullable(), expiresAt: time }).describe('The old key, and its end.'),
  ...everywhereShape,
})

/** DELETE /keys/{id}. */
export const revokedKeys = z.object({
  revoked: z.object({ prefix: z.string().nullable() }).array().describe('The keys that are revoked, or are to be.'),
  ...change,
  ...everywhereShape,
})
