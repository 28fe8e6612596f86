/** The replies of the admin API that only these pages show, as far as they do: see ../../answers.ts. */
import type { OnReplicas } from '../../said.ts'

/** One of GET /limits/{client}. */
export interface Limit {
  readonly name: string
  readonly store: string
  readonly quotas:
    | readonly {
        readonly limit: number
        readonly windowSeconds: number
        readonly used: number
        readonly remaining: number
        readonly moreInSeconds: number
        readonly waitSeconds: number
      }[]
    | null
}

/** One of GET /limits. */
export interface LimitedClient {
  readonly client: string
  readonly limit: string
  readonly store: string
  readonly share: number
  readonly limited: boolean
  readonly refused: number
  readonly lastSeenAt: string
}

/** Where an API key is stored. */
export type KeyStore = 'configuration' | 'redis'

/** One of GET /keys. */
export interface ApiKey {
  readonly id: string
  readonly prefix: string | null
  readonly owner: string
  readonly tier: string
  readonly roles: readonly string[]
  readonly createdAt: string | null
  readonly expiresAt: string | null
  readonly lastUsedAt: string | null
  readonly replaced: boolean
  readonly store: KeyStore
}

/** GET /keys. */
export interface ApiKeys {
  readonly keys: readonly ApiKey[]
  readonly store: KeyStore | null
  readonly redis: { readonly problem: string | null; readonly cacheSeconds: number } | null
}

/** A change of the configuration. */
export interface ManualEdit {
  readonly file: string | null
  readonly patch: string | null
  readonly lines: string | null
  /** What to send with PUT /config; null if that is not possible. */
  readonly send: { readonly text: string; readonly etag: string } | null
}

/** POST /keys, and the new key in the reply to POST /keys/{id}/rotate. */
export interface MadeKey {
  readonly id: string
  readonly key: string
  readonly store: KeyStore
  readonly configuration: ManualEdit | null
}

/** POST /keys/{id}/rotate. */
export interface RotatedKey extends MadeKey, OnReplicas {
  readonly old: { readonly prefix: string | null; readonly expiresAt: string }
}

/** DELETE /keys/{id}. */
export interface RevokedKeys extends OnReplicas {
  readonly configuration: ManualEdit | null
}
