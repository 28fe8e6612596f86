import { present } from '../../../core/present.ts'
import { hash } from 'node:crypto'
import type { Decision, Limit, Meter, QuotaState } from '../meter.ts'
import type { RedisClient } from '../../../redis/client.ts'
import { besideKey } from '../../../redis/beside-key.ts'
import { createKeys } from './keys.ts'
import { scripts } from './scripts.ts'

/** A request to be decided. */
export interface Question {
  readonly client: string
  readonly cost: number
}

/** Never reached, so that a probe always writes; the window of the probe in milliseconds. */
const PROBE_LIMIT = 1_000_000
const PROBE_WINDOW = 1000

/** Number of values per quota in a script's reply. */
const STATE_LENGTH = 3

/** Counts in Redis, for all processes that use it, in scripts that run atomically. */
export class RedisMeter implements Meter {
  private readonly client: RedisClient
  private readonly script: string
  private readonly digest: string
  private readonly keysOf: (client: string) => string[]
  private readonly quotas: number[]
  private readonly time: () => string | number

  /** `time` is in microseconds; by default that of the Redis server, so that all gateways agree on it. */
  constructor(client: RedisClient, limit: Limit, time: () => string | number = () => '') {
    this.client = client
    this.script = scripts[limit.algorithm]
    this.digest = hash('sha1', this.script)
    this.keysOf = createKeys(limit)
    this.quotas = limit.quotas.flatMap((quota) => [quota.limit, quota.window])
    this.time = time
  }

  /** Rejects with any error of the connection to Redis. */
  async decide(client: string, cost: number): Promise<Decision> {
    const [decision] = await this.run([{ client, cost }])
    return present(decision, 'decision')
  }

  /**
   * The decisions, in the order of the questions: one script for all of them, or one each if the clients may be on different nodes
   * of a Cluster. Rejects with any error of the connection to Redis.
   */
  async decideAll(questions: readonly Question[]): Promise<Decision[]> {
    if (!this.client.isCluster) return this.run(questions)
    const decisions = await Promise.all(questions.map((question) => this.run([question])))
    return decisions.flat()
  }

  /** Rejects likewise. */
  async forget(client: string): Promise<boolean> {
    await this.client.del(this.keysOf(client))
    return true
  }

  /** Does the same as a decision about that client, but with a separate key that expires at once; rejects if a decision is impossible. */
  async probe(client: string): Promise<void> {
    const [key = ''] = this.keysOf(client)
    await this.decide(client, 0)
    await this.call([besideKey(key)], [1, this.time(), PROBE_LIMIT, PROBE_WINDOW, 1])
  }

  private async run(questions: readonly Question[]): Promise<Decision[]> {
    const { quotas } = this
    const count = quotas.length / 2
    const keys = questions.flatMap(({ client }) => this.keysOf(client))
    const reply = await this.call(keys, [count, this.time(), ...quotas, ...questions.map(({ cost }) => cost)])
    if (!Array.isArray(reply)) throw new TypeError('Redis gave no list for a decision')
    return questions.map((_, i) => decisionAt(reply, i * (1 + count * STATE_LENGTH), count))
  }

  private async call(keys: string[], args: (string | number)[]): Promise<unknown> {
    try {
      return await this.client.evalsha(this.digest, keys.length, ...keys, ...args)
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
      return this.client.eval(this.script, keys.length, ...keys, ...args)
    }
  }
}

/** The decision at that position of a script's reply. */
function decisionAt(reply: readonly unknown[], start: number, count: number): Decision {
  const quotas: QuotaState[] = []
  for (let i = 0; i < count; i++) {
    const at = start + 1 + i * STATE_LENGTH
    quotas.push({ remaining: Number(reply[at]), reset: Number(reply[at + 1]), wait: Number(reply[at + 2]) })
  }
  return { admitted: Number(reply[start]) === 1, quotas }
}
