import type { Fields } from '../../core/value.ts'

/** The callers defined by the credentials of a file; each list is one shared value wherever it is written. */
export interface Identities {
  /** Keys of `api-key`, without those whose value is unknown. */
  readonly apiKeys: readonly Fields[]
  /** Users of `basic`. */
  readonly users: readonly Fields[]
  /** JWT credentials. */
  readonly tokens: readonly TokenIssuer[]
  /** Names of anonymous consumers that are refused because one of their plugins ends every request. */
  readonly refused: ReadonlySet<string>
  /** Records that some plugin uses them; otherwise they have no effect. */
  readonly use: (kind: 'apiKeys' | 'users' | 'tokens') => void
}

/** The issuer of tokens for a consumer, and how its tokens are verified. */
export interface TokenIssuer {
  /** The value of the claim that identifies it. */
  readonly key: string
  readonly consumer: string
  readonly algorithm: string
  /** A variable reference; null if a public key is used. */
  readonly secret: string | null
  /** In PEM format. */
  readonly publicKey: string | null
}
