/** An API key as it is kept in a store: everything but the key itself. */
export interface StoredApiKey {
  readonly id: string
  /** SHA-256 digest of the key, in lower-case hexadecimal. */
  readonly sha256: string
  /** The beginning of the key, by which people tell keys apart. */
  readonly prefix: string
  /** Whom the key stands for. */
  readonly owner: string
  readonly tier: string
  readonly roles: readonly string[]
  /** Wall-clock milliseconds. */
  readonly created: number
  /** Wall-clock milliseconds; null for a key that does not end. */
  readonly expires: number | null
}

/** API keys that are kept outside of the configuration, for all gateways together. */
export interface ApiKeys {
  /**
   * The key with this SHA-256 digest, in hexadecimal, or null where there is none. Rejects with GatewayError
   * 'keys-unavailable' where that cannot be found out in time.
   */
  find(sha256: string): Promise<StoredApiKey | null>
}
