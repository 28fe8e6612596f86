import type { z } from 'zod'
import { GatewayError } from '../../core/errors.ts'
import type { StoredApiKey } from '../../policies/auth/api-key/api-key-store.ts'
import { newestOf } from '../../policies/auth/api-key/key-entry.ts'
import type { KeyPlace } from '../../policies/auth/api-key/key-place.ts'
import type { MadeKey } from '../../policies/auth/api-key/key-ring.ts'
import type { KeyStore, ManagedKeys } from '../../policies/auth/api-key/managed-keys.ts'
import { keyUsesTopic } from '../../policies/auth/api-key/topics.ts'
import type { AdminContext } from '../context.ts'
import type { keyList } from './schemas.ts'

type Listed = z.input<typeof keyList>['keys'][number]
/** A key, with its digest, which is never shown. */
interface Found {
  readonly sha256: string
  readonly key: Omit<Listed, 'lastUsedAt'>
}

/** All keys of the configuration and its Redis; never the keys themselves. */
export async function listKeys(
  keys: ManagedKeys,
  { threads }: Pick<AdminContext, 'threads'>,
): Promise<z.input<typeof keyList>> {
  const { place } = keys
  const { stored, problem } = await storedIn(keys)
  const found = [...describeConfigured(place), ...describeStored(stored)]
  const uses = await threads.askAll(
    keyUsesTopic,
    found.map(({ sha256 }) => sha256),
  )
  const latest = new Map<string, number>()
  for (const [sha256, at] of uses.flat()) latest.set(sha256, Math.max(at, latest.get(sha256) ?? 0))
  return {
    keys: found.map(({ sha256, key }) => withUse(key, latest.get(sha256))),
    store: place.isRequired ? keys.store : null,
    redis: place.redis === null ? null : { problem, cacheSeconds: place.cache / 1000 },
  }
}

/** A new key, which is shown only now. */
export function describeMade({ key, secret }: MadeKey, store: KeyStore) {
  const { id, prefix, owner, tier, roles, expires } = key
  return { id, prefix, owner, tier, roles, expiresAt: timeOf(expires), store, key: secret, done: store === 'redis' }
}

/** A wall-clock time in milliseconds in ISO 8601; null for none. */
function timeOf(wall: number | null | undefined): string | null {
  return wall === null || wall === undefined ? null : new Date(wall).toISOString()
}

function withUse(key: Found['key'], used: number | undefined): Listed {
  return { ...key, lastUsedAt: timeOf(used) }
}

async function storedIn(keys: ManagedKeys) {
  try {
    return { stored: await keys.stored(), problem: null }
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    return { stored: [], problem: error.detail ?? error.title }
  }
}

function describeConfigured({ configured }: KeyPlace): Found[] {
  const groups = Map.groupBy(configured, ({ id }) => id)
  return configured.map((key) => {
    const { id, sha256, prefix = null, owner = id, tier, roles, expires } = key
    const replaced = newestOf(groups.get(id) ?? []) !== key
    const shown = { id, prefix, owner, tier, roles, createdAt: null, expiresAt: timeOf(expires) }
    return { sha256: sha256.toLowerCase(), key: { ...shown, replaced, store: 'configuration' } }
  })
}

/** Of keys with the same ID, the newest comes first. */
function describeStored(stored: readonly StoredApiKey[]): Found[] {
  return stored.map(({ id, sha256, prefix, owner, tier, roles, created, expires }, i) => {
    const shown = { id, prefix, owner, tier, roles, createdAt: timeOf(created), expiresAt: timeOf(expires) }
    return { sha256, key: { ...shown, replaced: stored[i - 1]?.id === id, store: 'redis' } }
  })
}
