import { z } from 'zod'
import { GatewayError } from '../../core/errors.ts'
import { hasRole } from '../../core/operator-role.ts'
import { replicasOf } from '../../core/operation.ts'
import { entryOf } from '../../policies/auth/api-key/key-entry.ts'
import { expiryExpected, keyRequest, readExpiry, rotation } from '../../policies/auth/api-key/key-request.ts'
import { ManagedKeys } from '../../policies/auth/api-key/managed-keys.ts'
import { forgetKeysOperation, MAX_FORGOTTEN } from '../../policies/auth/api-key/operators.ts'
import { KeyConnection } from '../../policies/auth/api-key/key-connection.ts'
import type { AdminApp } from '../app.ts'
import type { AdminContext } from '../context.ts'
import { callerFields } from '../login/caller.ts'
import { describeMade, listKeys } from './list-keys.ts'
import { keyList, madeKey, revokedKeys, rotatedKey } from './schemas.ts'
import { WrittenKeys } from './written-keys.ts'

const params = z.object({ id: z.string().min(1).describe('ID of the key.') })
const NOBODY = { replicas: [], unreached: null }

/** GET and POST /keys, POST /keys/{id}/rotate, DELETE /keys/{id}: the API keys of the configuration and its Redis. */
export function keyEndpoints(app: AdminApp, context: AdminContext): void {
  const { config, clock, everywhere, log } = context
  const written = new WrittenKeys(context)
  const now = (): number => clock.wall()
  const connection = new KeyConnection(clock)
  const managed = (): ManagedKeys => new ManagedKeys(config(), connection, now)
  app.addHook('onClose', async () => connection.close())

  /** Has all gateways look up the keys with those digests in Redis again. Never rejects: the change has been made and must be reported. */
  async function forgetEverywhere(sha256: readonly string[]) {
    try {
      return replicasOf(await everywhere(forgetKeysOperation, { sha256: sha256.slice(0, MAX_FORGOTTEN) }))
    } catch (error) {
      log.error({ error }, 'Workers and other gateways could not be informed about a change of API keys')
      return { replicas: [], unreached: 'No gateway could be informed, not even this one: see the log' }
    }
  }

  app.get(
    '/keys',
    {
      schema: {
        summary: 'The API keys in the configuration and in its Redis',
        description: 'Never the keys themselves.',
        tags: ['keys'],
        response: { 200: keyList },
      },
    },
    () => listKeys(managed(), context),
  )

  app.post(
    '/keys',
    {
      schema: {
        summary: 'Create an API key',
        description:
          'The key is stored in Redis if a route looks keys up there, and works at once. Otherwise the answer shows how to change the configuration.',
        tags: ['keys'],
        body: keyRequest,
        response: { 201: madeKey },
      },
    },
    async ({ body, operator }, reply) => {
      const keys = managed()
      const { store } = keys
      if (!keys.place.isRequired)
        throw new GatewayError('conflict', 'No route asks for API keys: give auth the method api-key first.')
      const { id, owner = id, tier, roles } = body
      const expires = expiryIn(body.expires, now()) ?? null
      const made = await keys.create({ id, owner, tier, roles, expires })
      const fields = { key: id, prefix: made.key.prefix, store }
      log.warn({ ...callerFields(operator), ...fields }, 'An operator has created an API key')
      const configuration = store === 'redis' ? null : written.add(operator, entryOf(made.key))
      return reply.code(201).send({ ...describeMade(made, store), configuration })
    },
  )

  app.post(
    '/keys/:id/rotate',
    {
      schema: {
        summary: 'Replace an API key',
        description:
          'The new key has the same ID, owner, tier and roles. The old key keeps working for `overlap`, by default 24h.',
        tags: ['keys'],
        params,
        body: rotation.prefault({}),
        response: { 200: rotatedKey },
      },
    },
    async ({ params: { id }, body, operator }) => {
      const rotated = await managed().rotate(id, body.overlap, expiryIn(body.expires, now()))
      const { key, store, old } = rotated
      const end = new Date(old.expires).toISOString()
      const fields = { key: id, prefix: key.prefix, old_prefix: old.prefix, old_expires: end, store }
      log.warn({ ...callerFields(operator), ...fields }, 'An operator has rotated an API key')
      return {
        ...describeMade(rotated, store),
        old: { prefix: old.prefix, expiresAt: end },
        configuration:
          store === 'redis' ? null : written.rotate(operator, entryOf(key), body.overlap === 0 ? null : end),
        ...(store === 'redis' ? await forgetEverywhere([old.sha256]) : NOBODY),
      }
    },
  )

  app.delete(
    '/keys/:id',
    {
      config: { role: 'operator' },
      schema: {
        summary: 'Revoke an API key',
        description:
          'Revokes all keys of the ID, or with `prefix` the one that starts with it. All gateways on the same Redis refuse it at once. For a key in the configuration, which requires the role admin, the answer shows how to change the configuration.',
        tags: ['keys'],
        params,
        querystring: z.strictObject({ prefix: z.string().min(1).optional().describe('How the key starts.') }),
        response: { 200: revokedKeys },
      },
    },
    async ({ params: { id }, query: { prefix }, operator }) => {
      const keys = managed()
      const isWritten = keys.written(id, prefix).length > 0
      if (isWritten && operator !== null && !hasRole(operator.role, 'admin'))
        throw new GatewayError(
          'forbidden',
          `The API key "${id}" is in the configuration: changing it requires the role admin.`,
        )
      const { keys: found, store } = await keys.revoke(id, prefix)
      const revoked = found.map((key) => ({ prefix: key.prefix }))
      const fields = { key: id, prefixes: revoked.map((key) => key.prefix), store }
      const what = store === 'redis' ? 'has revoked an API key' : 'has asked how to revoke an API key'
      log.warn({ ...callerFields(operator), ...fields }, `An operator ${what}`)
      return {
        revoked,
        done: store === 'redis',
        configuration: store === 'redis' ? null : written.remove(operator, id, prefix),
        ...(store === 'redis' ? await forgetEverywhere(found.map(({ sha256 }) => sha256)) : NOBODY),
      }
    },
  )
}

/** Throws GatewayError 'bad-request' for a text that is not a time in the future. */
function expiryIn(expires: string | undefined, now: number): number | undefined {
  if (expires === undefined) return undefined
  const end = readExpiry(expires, now)
  if (end === null) throw new GatewayError('bad-request', `expires: ${expiryExpected}.`)
  return end
}
