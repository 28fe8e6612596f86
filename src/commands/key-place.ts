import type { GatewayConfig } from '../config/schema.ts'
import type { MethodsConfig } from '../policies/auth/index.ts'
import { RedisApiKeys } from '../policies/auth/api-key/redis/redis-api-keys.ts'
import { connectRedis, type RedisClient, type RedisConfig } from '../redis/client.ts'
import { CommandError } from './command.ts'

/** How long Redis may take until it can be asked, and to answer, in milliseconds. */
const PATIENCE = 3000

/** Where the keys are that a configuration asks for. */
export interface KeyPlace {
  /** Those that stand in the configuration itself, each once. */
  readonly configured: readonly ConfiguredKey[]
  /** The Redis where more of them are; null where the configuration has them all. */
  readonly redis: RedisConfig | null
  /** How long a revoked key may still work, in milliseconds. */
  readonly cache: number
}

type ApiKeyOptions = NonNullable<MethodsConfig['api-key']>
type ConfiguredKey = ApiKeyOptions['keys'][number]

/** Where the configuration has its keys, those of single routes among them. */
export function keyPlace({ policies, routes, stores }: GatewayConfig): KeyPlace {
  const options = [policies, ...routes.map((route) => route.policies)].flatMap(({ auth }) => {
    const own = auth === undefined || auth === false ? undefined : auth.methods['api-key']
    return own === undefined ? [] : [own]
  })
  const shared = options.filter(({ store }) => store === 'redis')
  return {
    configured: [...new Map(options.flatMap(({ keys }) => keys).map((key) => [key.id, key])).values()],
    redis: shared.length === 0 ? null : stores.redis,
    cache: Math.max(0, ...shared.map(({ cache }) => cache)),
  }
}

/** Does something with the keys in Redis. Rejects with CommandError where Redis does not answer. */
export async function withKeys<Result>(
  redis: RedisConfig,
  work: (keys: RedisApiKeys) => Promise<Result>,
): Promise<Result> {
  const client = connectRedis(redis, PATIENCE)
  try {
    await connected(client)
    return await work(new RedisApiKeys(client))
  } catch (error) {
    if (error instanceof CommandError) throw error
    const message = `Redis, of stores.redis in the configuration, cannot be used: ${reasonOf(error)}`
    throw new CommandError(message, { cause: error })
  } finally {
    client.disconnect()
  }
}

/** Rejects with the first error: whoever waits at a terminal tries again. */
function connected(client: RedisClient): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no connection within ${PATIENCE} ms`)), PATIENCE)
    const settle = (error?: Error): void => {
      clearTimeout(timer)
      if (error === undefined) resolve()
      else reject(error)
    }
    client.once('ready', () => settle())
    client.once('error', settle)
  })
}

/** A Cluster says only that none of its nodes answers, and carries along why. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if ('lastNodeError' in error && error.lastNodeError instanceof Error) return error.lastNodeError.message
  return error.message
}
