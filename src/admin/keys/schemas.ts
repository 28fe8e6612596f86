import { z } from 'zod'
import { replicasShape } from '../../core/operation.ts'
import { keyStores } from '../../policies/auth/api-key/managed-keys.ts'
import { manualEdit } from './written-keys.ts'

const time = z.iso.datetime()

const keyShape = {
  id: z.string(),
  prefix: z.string().nullable().describe('How the key starts; null if unknown.'),
  owner: z.string().describe('The consumer it stands for.'),
  tier: z.string(),
  roles: z.string().array().readonly(),
  expiresAt: time.nullable().describe('Null if it does not expire.'),
  store: z.enum(keyStores),
}

const listed = z.object({
  ...keyShape,
  createdAt: time.nullable().describe('Null if unknown.'),
  replaced: z.boolean().describe('Whether a newer key with the same ID has replaced it.'),
  lastUsedAt: time
    .nullable()
    .describe(
      'When this gateway last saw the key since it started, for keys in Redis to within `cacheSeconds`. Null if never.',
    ),
})

/** GET /keys. */
export const keyList = z.object({
  keys: listed.array(),
  store: z.enum(keyStores).nullable().describe('Where new keys are stored; null if no route uses API keys.'),
  redis: z
    .object({
      problem: z.string().nullable().describe('Why its keys cannot be listed; null if they can.'),
      cacheSeconds: z.number().describe('How long a lookup is cached.'),
    })
    .nullable()
    .describe('The Redis with the other keys; null if there is none.'),
})

const change = {
  done: z.boolean().describe('Whether it is done; false if `configuration` has to be changed first.'),
  configuration: manualEdit.nullable().describe('What to change there; null for keys in Redis.'),
}

/** POST /keys. */
export const madeKey = z.object({
  ...keyShape,
  key: z.string().describe('The key itself, as clients send it. It is only shown once.'),
  ...change,
})

/** POST /keys/{id}/rotate. */
export const rotatedKey = madeKey.extend({
  old: z.object({ prefix: z.string().nullable(), expiresAt: time }).describe('The old key, and when it expires.'),
  ...replicasShape,
})

/** DELETE /keys/{id}. */
export const revokedKeys = z.object({
  revoked: z.object({ prefix: z.string().nullable() }).array().describe('The keys that were revoked, or have to be.'),
  ...change,
  ...replicasShape,
})
