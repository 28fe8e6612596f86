import { hash } from 'node:crypto'
import type { Decision, Limit, Meter, QuotaState } from '../../core/limits.ts'
import type { RedisClient } from './client.ts'
import { createKeys } from './redis-keys.ts'
import { scripts } from './scripts.ts'

/** Members of a script's reply for each quota. */
const STATE_LENGTH = 3

/** Counts in Redis, for all processes that use it: one script a request, which runs in one go. */
export class RedisMeter implements Meter {
  private readonly client: RedisClient
  private readonly script: string
  private readonly digest: string
  private readonly keysOf: (client: string) => string[]
  private readonly quotas: number[]
  private readonly time: () => string | number

  /** `time` is in microseconds; that of the Redis server by default, so that no two gateways disagree about it. */
  constructor(client: RedisClient, limit: Limit, time: () => string | number = () => '') {
    this.client = client
    this.script = scripts[limit.algorithm]
    this.digest = hash('sha1', this.script)
    this.keysOf = createKeys(limit)
    this.quotas = limit.quotas.flatMap((quota) => [quota.limit, quota.window])
    this.time = time
  }

  /** Rejects with whatever keeps Redis from answering. */
  async decide(client: string, cost: number): Promise<Decision> {
    const keys = this.keysOf(client)
    const args = [...keys, cost, this.time(), ...this.quotas]
    return read(await this.run(keys.length, args))
  }

  /** Rejects likewise. */
  async forget(client: string): Promise<boolean> {
    await this.client.del(this.keysOf(client))
    return true
  }

  private async run(keys: number, args: (string | number)[]): Promise<unknown> {
    try {
      return await this.client.evalsha(this.digest, keys, ...args)
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
      return this.client.eval(this.script, keys, ...args)
    }
  }
}

function read(reply: unknown): Decision {
  if (!Array.isArray(reply)) throw new TypeError('Redis gave no list for a decision')
  const [admitted = 0, ...states] = reply.map(Number)
  const quotas: QuotaState[] = []
  for (let i = 0; i < states.length; i += STATE_LENGTH) {
    const [remaining = 0, reset = 0, wait = 0] = states.slice(i, i + STATE_LENGTH)
    quotas.push({ remaining, reset, wait })
  }
  return { admitted: admitted === 1, quotas }
}
