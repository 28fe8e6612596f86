import type { Logger } from '../../core/logger.ts'
import type { RedisConnection } from './connection.ts'
import { withoutCommand } from './logged-error.ts'
import type { Operation } from './operation-metrics.ts'
import { Refused } from './outage.ts'

/** Refusals of a Redis that does answer: for want of memory, of a permission, or of a disk to write to. */
const REFUSAL = /^(?:OOM|NOPERM|MISCONF|NOREPLICAS|WRONGTYPE|ERR) /

/** Asks Redis for what can be done without: what it does not answer in time, or refuses, is null. */
export class Questions {
  private readonly connection: RedisConnection
  private readonly log: Logger
  private refused = false

  constructor(connection: RedisConnection, log: Logger) {
    this.connection = connection
    this.log = log
  }

  /** Whether Redis answers, as far as is known; what is done without it is counted. */
  get answered(): boolean {
    const { outage } = this.connection
    if (outage.down) outage.missed()
    return !outage.down
  }

  /** `key` is one that the question is about: whoever keeps it is asked again until it answers. */
  ask<Answer>(operation: Operation, key: string, question: () => Promise<Answer>): Promise<Answer | null> {
    const { outage, client } = this.connection
    const unlessRefused = (error: unknown): never => {
      if (!(error instanceof Error) || !REFUSAL.test(error.message)) throw error
      this.refuse(error)
      throw new Refused(undefined, { cause: error })
    }
    return outage.ask(
      operation,
      () => question().catch(unlessRefused),
      () => client.exists(key),
    )
  }

  /** What a script answers, read by `read`. All its keys must be of one slot. */
  async run<Answer>(
    operation: Operation,
    script: string,
    keys: readonly string[],
    args: readonly (string | number | Buffer)[],
    read: (answer: unknown) => Answer,
  ): Promise<Answer | null> {
    const { client } = this.connection
    // The whole text each time: what is asked next comes after it, as no answer has to be waited for.
    const answer = await this.ask(operation, keys[0]!, async () => ({
      is: await client.eval(script, keys.length, ...keys, ...args),
    }))
    return answer === null ? null : read(answer.is)
  }

  /** What was read, or null where it makes no sense. */
  read<Result>(from: () => Result): Result | null {
    try {
      return from()
    } catch (error) {
      this.refuse(error)
      return null
    }
  }

  /** Once: it is likely to go on, and the cache without it. */
  private refuse(error: unknown): void {
    if (this.refused) return
    this.refused = true
    const fields = { error: withoutCommand(error) }
    this.log.warn(fields, 'Redis refuses what the cache asks of it, or answers nonsense: replies are not cached')
  }
}

export function list(answer: unknown): readonly unknown[] {
  return Array.isArray(answer) ? answer : []
}

export function texts(answer: unknown): readonly string[] {
  return list(answer).map(String)
}
