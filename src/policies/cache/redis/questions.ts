import type { Logger } from '../../../core/logger.ts'
import type { RedisConnection } from '../../../redis/connection.ts'
import { withoutCommand } from '../../../redis/logged-error.ts'
import { besideKey } from '../../../redis/beside-key.ts'
import type { RedisUse } from '../../../redis/use.ts'

/** How long what is written to see whether anything can be stays there, in milliseconds. */
const PROBE_LIFE = 1000

/** What the metrics call a question. */
type Operation = 'cache-find' | 'cache-put' | 'cache-forget'

/** Asks Redis for what can be done without: what it does not answer in time, or refuses, is null. */
export class Questions {
  private readonly client: RedisConnection['client']
  private readonly use: RedisUse
  private readonly log: Logger
  private confused = false

  constructor(connection: RedisConnection, log: Logger) {
    this.client = connection.client
    this.use = connection.use('cache')
    this.log = log
  }

  /** Whether Redis answers, as far as is known; what is done without it is counted. */
  get answered(): boolean {
    const { reachable } = this.use
    if (!reachable) this.use.missed()
    return reachable
  }

  /** Whether Redis refuses what it is asked to keep, as far as is known; what is not kept is counted. */
  get refused(): boolean {
    const { down } = this.use
    if (down) this.use.missed()
    return down
  }

  /** What is read; nothing is changed by it. */
  ask<Answer>(operation: Operation, question: () => Promise<Answer>): Promise<Answer | null> {
    return this.use.ask(operation, question, question)
  }

  /** What a script answers, read by `read`. All its keys must be of one slot. */
  async run<Answer>(
    operation: Operation,
    script: string,
    keys: readonly string[],
    args: readonly (string | number | Buffer)[],
    read: (answer: unknown) => Answer,
  ): Promise<Answer | null> {
    const { client } = this
    const answer = await this.use.ask(
      operation,
      // The whole text each time: what is asked next comes after it, as no answer has to be waited for.
      async () => ({ is: await client.eval(script, keys.length, ...keys, ...args) }),
      () => client.set(besideKey(keys[0] ?? ''), '', 'PX', PROBE_LIFE),
    )
    return answer === null ? null : read(answer.is)
  }

  /** What was read, or null where it makes no sense. */
  read<Result>(from: () => Result): Result | null {
    try {
      return from()
    } catch (error) {
      this.wonder(error)
      return null
    }
  }

  /** Once: there is likely to be more of it. */
  private wonder(error: unknown): void {
    if (this.confused) return
    this.confused = true
    this.log.warn({ error: withoutCommand(error) }, 'A stored reply in Redis cannot be read: it is not used')
  }
}

export function list(answer: unknown): readonly unknown[] {
  return Array.isArray(answer) ? answer : []
}

export function texts(answer: unknown): readonly string[] {
  return list(answer).map(String)
}
