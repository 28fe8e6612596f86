import type { ApiKeys, StoredApiKey } from '../api-key-store.ts'
import { GatewayError } from '../../../../core/errors.ts'
import type { Logger } from '../../../../core/logger.ts'
import { HASH, parseApiKey, RedisApiKeys } from './redis-api-keys.ts'
import type { RedisConnection } from '../../../../redis/connection.ts'
import type { RedisUse } from '../../../../redis/use.ts'

/** API keys in Redis. While Redis is known to be down, lookups fail at once instead of waiting for it. */
export class GuardedApiKeys implements ApiKeys {
  private readonly keys: RedisApiKeys
  private readonly use: RedisUse
  private readonly log: Logger

  constructor(redis: RedisConnection, log: Logger) {
    this.keys = new RedisApiKeys(redis.client)
    this.use = redis.use('keys')
    this.log = log
  }

  async find(sha256: string): Promise<StoredApiKey | null> {
    const question = async () => ({ text: await this.keys.read(sha256) })
    const answer = this.use.down ? null : await this.use.ask('find-key', question, question)
    if (answer === null) {
      this.use.missed()
      throw new GatewayError('keys-unavailable', 'The API key cannot be checked at the moment. Try again later.', {
        headers: [['Retry-After', '1']],
      })
    }
    if (answer.text === null) return null
    const key = parseApiKey(sha256, answer.text)
    if (key === null)
      this.log.warn({ hash: HASH, field: sha256 }, 'The data of an API key in Redis is not valid: the key is refused')
    return key
  }
}
