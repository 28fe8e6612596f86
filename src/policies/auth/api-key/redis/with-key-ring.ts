import { GatewayError } from '../../../../core/errors.ts'
import { connectRedis, type RedisClient, type RedisConfig } from '../../../../redis/client.ts'
import { KeyRing } from '../key-ring.ts'
import { RedisApiKeys } from './redis-api-keys.ts'

/** How long connecting to Redis and each reply from it may take, in milliseconds. */
const TIMEOUT = 3000

/**
 * Runs `work` with the keys in Redis over a dedicated connection, which is closed afterwards. Rejects with the error of `work`, and
 * with GatewayError 'keys-unavailable' if Redis fails; `now` is in wall-clock milliseconds.
 */
export async function withKeyRing<Result>(
  redis: RedisConfig,
  now: () => number,
  work: (ring: KeyRing) => Promise<Result>,
): Promise<Result> {
  const client = connectRedis(redis, TIMEOUT)
  let isThere = false
  try {
    await connected(client)
    isThere = true
    return await work(new KeyRing(new RedisApiKeys(client), now))
  } catch (error) {
    if (error instanceof GatewayError) throw error
    const doubt = isThere ? ' The change may have been made nevertheless: list the keys before you try again.' : ''
    const detail = `The Redis of stores.redis cannot be used: ${reasonOf(error)}.${doubt}`
    throw new GatewayError('keys-unavailable', detail, { cause: error })
  } finally {
    client.disconnect()
  }
}

/** Rejects with the first connection error; the caller may try again. */
function connected(client: RedisClient): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no connection within ${TIMEOUT} ms`)), TIMEOUT)
    const settle = (error?: Error): void => {
      clearTimeout(timer)
      if (error === undefined) resolve()
      else reject(error)
    }
    client.once('ready', () => settle())
    client.once('error', settle)
  })
}

/** A Cluster error only says that no node replied; the reason is attached to it. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if ('lastNodeError' in error && error.lastNodeError instanceof Error) return error.lastNodeError.message
  return error.message
}
