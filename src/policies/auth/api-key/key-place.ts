import type { RedisConfig } from '../../../redis/client.ts'
import type { ApiKeyOptions, WrittenKey } from './api-key.ts'

/** Policies of every route, or of one. */
interface PolicyOptions {
  readonly auth?: false | { readonly methods: { readonly 'api-key'?: ApiKeyOptions | undefined } } | undefined
}

/** What a configuration says of where keys are. */
export interface KeyConfiguration {
  readonly policies: PolicyOptions
  readonly routes: readonly { readonly policies: PolicyOptions }[]
  readonly stores: { readonly redis: RedisConfig | null }
}

/** Where the keys are that a configuration asks for. */
export interface KeyPlace {
  /** Whether anything asks for keys. */
  readonly isAsked: boolean
  /** Those that stand in the configuration itself, each once. */
  readonly configured: readonly WrittenKey[]
  /** The Redis where more of them are; null where the configuration has them all. */
  readonly redis: RedisConfig | null
  /** How long a lookup in Redis is cached, in milliseconds: so long may a revoked key still work in a gateway that was not told. */
  readonly cache: number
}

/** Where the configuration has its keys, those of single routes among them. */
export function keyPlace({ policies, routes, stores }: KeyConfiguration): KeyPlace {
  const options = [policies, ...routes.map((route) => route.policies)].flatMap(({ auth }) => {
    const own = auth === undefined || auth === false ? undefined : auth.methods['api-key']
    return own === undefined ? [] : [own]
  })
  const shared = options.filter(({ store }) => store === 'redis')
  const configured = options.flatMap(({ keys }) => keys)
  return {
    isAsked: options.length > 0,
    configured: [...new Map(configured.map((key) => [`${key.id} ${key.sha256}`, key])).values()],
    redis: shared.length === 0 ? null : stores.redis,
    cache: Math.max(0, ...shared.map(({ cache }) => cache)),
  }
}
