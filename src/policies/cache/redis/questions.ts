import type { Logger } from '../../../core/logger.ts'
import type { RedisConnection } from '../../../redis/connection.ts'
import { withoutCommand } from '../../../redis/logged-error.ts'
import { besideKey } from '../../../redis/beside-key.ts'
import type { RedisUse } from '../../../redis/use.ts'

/** How long a key written to test whether Redis accepts writes is kept, in milliseconds. */
const PROBE_LIFE = 1000

/** The name of an operation in the metrics. */
type Operation = 'cache-find' | 'cache-put' | 'cache-forget'

/** Runs optional commands in Redis: if Redis does not reply in time, or refuses, the result is null. */
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

  /** Whether Redis is reachable, as far as is known; requests handled without it are counted. */
  get answered(): boolean {
    const { reachable } = this.use
    if (!reachable) this.use.missed()
    return reachable
  }

  /** Whether Redis is unreachable or refuses writes, as far as is known. */
  get down(): boolean {
    return this.use.down
  }

  /** The same; entries that are not stored are counted. */
  get refused(): boolean {
    const { down } = this.use
    if (down) this.use.missed()
    return down
  }

  /** Whether Redis answered the last command. */
  get inTime(): boolean {
    return this.use.answered
  }

  /** Runs a read-only command. */
  ask<Answer>(operation: Operation, question: () => Promise<Answer>): Promise<Answer | null> {
    return this.use.ask(operation, question, question)
  }

  /** The result of a script, parsed by `read`. All its keys must be in one slot. */
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
      // Always EVAL with the whole script, so that commands sent after it without waiting for its reply are executed after it.
      async () => ({ is: await client.eval(script, keys.length, ...keys, ...args) }),
      () => client.set(besideKey(keys[0] ?? ''), '', 'PX', PROBE_LIFE),
    )
    return answer === null ? null : read(answer.is)
  }

  /** The parsed data, or null if it is invalid. */
  read<Result>(from: () => Result): Result | null {
    try {
      return from()
    } catch (error) {
      this.wonder(error)
      return null
    }
  }

  /** Logged once only, as more of it is likely to follow. */
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
