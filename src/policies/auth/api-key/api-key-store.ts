/** An API key as kept in a store: everything except the key itself. */
export interface StoredApiKey {
  readonly id: string
  /** SHA-256 digest of the key, in lower-case hexadecimal. */
  readonly sha256: string
  /** The beginning of the key, by which people can tell keys apart. */
  readonly prefix: string
  /** The consumer that the key stands for. */
  readonly owner: string
  readonly tier: string
  readonly roles: readonly string[]
  /** Wall-clock milliseconds. */
  readonly created: number
  /** Wall-clock milliseconds; null for a key that never expires. */
  readonly expires: number | null
}

/** API keys kept outside the configuration and shared by all gateways. */
export interface ApiKeys {
  /**
   * The key with this SHA-256 digest (hexadecimal), or null if there is no such key. Rejects with GatewayError 'keys-unavailable'
   * if the lookup does not succeed in time.
   */
  find(sha256: string): Promise<StoredApiKey | null>
}
