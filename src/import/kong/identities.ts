import type { Fields } from '../../core/value.ts'

/** Who may call, by the credentials of a file; each list is one and the same wherever it is written. */
export interface Identities {
  /** Keys of `api-key`; without those that nobody knows. */
  readonly apiKeys: readonly Fields[]
  /** Users of `basic`. */
  readonly users: readonly Fields[]
  /** JWT credentials. */
  readonly tokens: readonly TokenIssuer[]
  /** Names of anonymous consumers that are refused, as a plugin of theirs ends every request. */
  readonly refused: ReadonlySet<string>
  /** Says that some plugin asks for them, as otherwise they are of no use. */
  readonly use: (kind: 'apiKeys' | 'users' | 'tokens') => void
}

/** Who signs tokens for a consumer, and by what they are verified. */
export interface TokenIssuer {
  /** What the token says in the claim that names it. */
  readonly key: string
  readonly consumer: string
  readonly algorithm: string
  /** A variable, as it stands in a text; null with a public key. */
  readonly secret: string | null
  /** As PEM. */
  readonly publicKey: string | null
}
