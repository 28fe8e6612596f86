import type { RedisConfig } from '../../../redis/client.ts'
import type { ApiKeyOptions, WrittenKey } from './api-key.ts'

/** The policies of all routes, or of one route. */
interface PolicyOptions {
  readonly auth?: false | { readonly methods: { readonly 'api-key'?: ApiKeyOptions | undefined } } | undefined
}

/** The parts of a configuration that say where keys are kept. */
export interface KeyConfiguration {
  readonly policies: PolicyOptions
  readonly routes: readonly { readonly policies: PolicyOptions }[]
  readonly stores: { readonly redis: RedisConfig | null }
}

/** Where a configuration keeps its keys. */
export interface KeyPlace {
  /** Whether any route requires keys. */
  readonly isRequired: boolean
  /** The keys in the configuration itself, without duplicates. */
  readonly configured: readonly WrittenKey[]
  /** The Redis that holds further keys; null if all keys are in the configuration. */
  readonly redis: RedisConfig | null
  /**
   * How long a lookup in Redis is cached, in milliseconds. A revoked key may keep working this long in a gateway that was not
   * notified.
   */
  readonly cache: number
}

/** Finds where a configuration keeps its keys, including those of individual routes. */
export function keyPlace({ policies, routes, stores }: KeyConfiguration): KeyPlace {
  const options = [policies, ...routes.map((route) => route.policies)].flatMap(({ auth }) => {
    const own = auth === undefined || auth === false ? undefined : auth.methods['api-key']
    return own === undefined ? [] : [own]
  })
  const shared = options.filter(({ store }) => store === 'redis')
  const configured = options.flatMap(({ keys }) => keys)
  return {
    isRequired: options.length > 0,
    configured: [...new Map(configured.map((key) => [`${key.id} ${key.sha256}`, key])).values()],
    redis: shared.length === 0 ? null : stores.redis,
    cache: Math.max(0, ...shared.map(({ cache }) => cache)),
  }
}
