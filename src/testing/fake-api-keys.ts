import { hash } from 'node:crypto'
import type { ApiKeys, StoredApiKey } from '../policies/policy.ts'

/**
 * API keys in memory, for `tools`: maps each key to what the test sets of its record. Defaults: the ids "key-1", "key-2" and so on, and the
 * tier api_key.
 */
export function fakeApiKeys(keys: Readonly<Record<string, Partial<Omit<StoredApiKey, 'sha256'>>>>): ApiKeys {
  const stored = Object.entries(keys).map(([key, said], i): [string, StoredApiKey] => {
    const sha256 = hash('sha256', key)
    const id = said.id ?? `key-${i + 1}`
    const rest = { prefix: key.slice(0, 4), owner: id, tier: 'api_key', roles: [], created: 0, expires: null }
    return [sha256, { ...rest, ...said, id, sha256 }]
  })
  const bySha256 = new Map(stored)
  return { find: async (sha256) => bySha256.get(sha256) ?? null }
}
