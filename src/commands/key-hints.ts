import type { Hint } from '../config/hints/hint.ts'
import type { Path } from '../config/problems.ts'
import type { GatewayConfig } from '../config/schema.ts'
import { keyPlace } from '../policies/auth/api-key/key-place.ts'

/** API keys are required although none exist. */
export function keyHints(config: GatewayConfig): Hint[] {
  const { configured, redis } = keyPlace(config)
  if (configured.length > 0 || redis !== null) return []
  const places: readonly (readonly [Path, GatewayConfig['policies']])[] = [
    [['policies'], config.policies],
    ...config.routes.map(({ policies }, i) => [['routes', i, 'policies'], policies] as const),
  ]
  const asking = places.find(([, { auth }]) => auth !== undefined && auth !== false && 'api-key' in auth.methods)
  if (asking === undefined) return []
  const message =
    'has no effect: there are no keys, so every key is refused. Create one with "sallyport keys create" and add it under keys, or set store: redis.'
  return [{ path: [...asking[0], 'auth', 'methods', 'api-key'], message }]
}
