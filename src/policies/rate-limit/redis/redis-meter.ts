import { present } from '../../../core/present.ts'
import { hash } from 'node:crypto'
import type { Decision, Limit, Meter, QuotaState } from '../meter.ts'
import type { RedisClient } from '../../../redis/client.ts'
import { besideKey } from '../../../redis/beside-key.ts'
import { createKeys } from './keys.ts'
import { scripts } from './scripts.ts'

/** A request that is to be decided. */
export interface Question {
  readonly client: string
  readonly cost: number
}

/** Nobody reaches it, so a probe always writes; its window in milliseconds. */
const PROBE_LIMIT = 1_000_000
const PROBE_WINDOW = 1000

/** Members of a script's reply for each quota. */
const STATE_LENGTH = 3

/** Counts in Redis, for all processes that use it, in scripts that run in one go. */
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
    const [decision] = await this.run([{ client, cost }])
    return present(decision, 'decision')
  }

  /**
   * The decisions, in the order of the questions: one script for all of them, but one for each where the clients may be
   * on different nodes of a Cluster. Rejects with whatever keeps Redis from answering.
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

  /** Does what a decision about that client does, on a key beside it that ends at once; rejects where it could not be made. */
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

/** The decision that begins at that place of a script's reply. */
function decisionAt(reply: readonly unknown[], start: number, count: number): Decision {
  const quotas: QuotaState[] = []
  for (let i = 0; i < count; i++) {
    const at = start + 1 + i * STATE_LENGTH
    quotas.push({ remaining: Number(reply[at]), reset: Number(reply[at + 1]), wait: Number(reply[at + 2]) })
  }
  return { admitted: Number(reply[start]) === 1, quotas }
}
