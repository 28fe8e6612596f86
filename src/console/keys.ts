/** An API key of the configuration, without its digest. */
export interface ConfiguredKey {
  readonly id: string
  readonly owner: string | null
  readonly tier: string
  readonly roles: readonly string[]
  /** Milliseconds since 1970-01-01T00:00:00Z; null for one that does not expire. */
  readonly expires: number | null
}

/** The API keys in GET /config, those of single routes among them, each once. */
export function apiKeysOf(config: Readonly<Record<string, unknown>>): ConfiguredKey[] {
  const places = [config, ...itemsOf(config['routes'])]
  const keys = places.flatMap((place) => {
    const auth = fieldOf(fieldOf(place, 'policies'), 'auth')
    return itemsOf(fieldOf(fieldOf(fieldOf(auth, 'methods'), 'api-key'), 'keys')).map(keyOf)
  })
  return [...new Map(keys.map((key) => [key.id, key])).values()]
}

function keyOf(key: unknown): ConfiguredKey {
  const [owner, tier, expires] = ['owner', 'tier', 'expires'].map((name) => fieldOf(key, name))
  const end = typeof expires === 'number' || typeof expires === 'string' ? new Date(expires).getTime() : NaN
  return {
    id: String(fieldOf(key, 'id')),
    owner: typeof owner === 'string' ? owner : null,
    tier: typeof tier === 'string' ? tier : 'api_key',
    roles: itemsOf(fieldOf(key, 'roles')).map(String),
    expires: Number.isNaN(end) ? null : end,
  }
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : undefined
}

function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
