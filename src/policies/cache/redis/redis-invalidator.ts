import type { Redis } from 'ioredis'
import type { Clock } from '../../../core/clock.ts'
import { Backlog } from './backlog.ts'
import { describeGroup } from './codec.ts'
import { groupKey, PREFIXES, tombstoneKey, urlKey, urlPattern } from './keys.ts'
import { FORGET_GROUP, FORGET_MEMBERS, FORGET_URL, NOTE_PREFIX } from './scripts.ts'
import type { RedisClient } from '../../../redis/client.ts'
import { list, type Questions, texts } from './questions.ts'

/**
 * How long an invalidation is remembered, in milliseconds: a reply that takes longer to arrive is not stored, as it can no longer
 * be determined whether it is outdated.
 */
export const REMEMBERED_FOR = 120_000

/** Most prefixes that are remembered at a time. */
const PREFIXES_REMEMBERED = 1_000

/** Number of keys that Redis scans at a time, and that are processed at a time. */
const SCANNED = 1_000
const BATCH = 64

/** Invalidates entries in Redis; what fails is retried later. Methods resolve with the number of entries removed so far. */
export class RedisInvalidator {
  private readonly client: RedisClient
  private readonly questions: Questions
  private readonly backlog: Backlog

  constructor(client: RedisClient, questions: Questions, clock: Clock) {
    this.client = client
    this.questions = questions
    this.backlog = new Backlog(clock, () => client.status === 'end')
  }

  /** Whether nothing is left to retry: what is in Redis is valid. */
  get isDone(): boolean {
    return this.backlog.isEmpty
  }

  url(url: string): Promise<number> {
    return this.orLater(`url ${url}`, async () => {
      const answer = await this.forgetUrl(urlKey(url))
      if (answer === null) return null
      return answer.count + ((await inBatches(answer.groups, (group) => this.group(group))) ?? 0)
    })
  }

  group(group: string): Promise<number> {
    const name = groupKey(group)
    const member = describeGroup(group)
    return this.orLater(`group ${group}`, async () => {
      const urls = await this.questions.run(
        'cache-forget',
        FORGET_GROUP,
        [name, tombstoneKey(name)],
        [REMEMBERED_FOR],
        texts,
      )
      if (urls === null) return null
      // Redis no longer knows which ones they are.
      return this.orLater(`members of ${group}`, () =>
        inBatches(urls, (url) => this.questions.run('cache-forget', FORGET_MEMBERS, [urlKey(url)], [member], Number)),
      )
    })
  }

  prefix(prefix: string): Promise<number> {
    return this.orLater(`prefix ${prefix}`, () => this.forgetPrefix(prefix))
  }

  private async orLater(what: string, task: () => Promise<number | null>): Promise<number> {
    const count = this.questions.answered ? await task() : null
    if (count === null) this.backlog.add(what, task, () => this.forgetPrefix(''))
    return count ?? 0
  }

  private forgetUrl(name: string): Promise<{ count: number; groups: readonly string[] } | null> {
    return this.questions.run('cache-forget', FORGET_URL, [name, tombstoneKey(name)], [REMEMBERED_FOR], (answer) => {
      const [count, groups] = list(answer)
      return { count: Number(count), groups: texts(groups) }
    })
  }

  private async forgetPrefix(prefix: string): Promise<number | null> {
    const args = [REMEMBERED_FOR, PREFIXES_REMEMBERED, prefix]
    if ((await this.questions.run('cache-forget', NOTE_PREFIX, [PREFIXES], args, () => true)) === null) return null
    const nodes = 'nodes' in this.client ? this.client.nodes('master') : [this.client]
    return inBatches(nodes, (node) => this.forgetOn(node, urlPattern(prefix)))
  }

  /** Scans one node. */
  private async forgetOn(node: Redis, pattern: string): Promise<number | null> {
    let [cursor, count] = ['0', 0]
    do {
      const at = cursor
      const found = await this.questions.ask('cache-forget', () => node.scan(at, 'MATCH', pattern, 'COUNT', SCANNED))
      if (found === null) return null
      const forgotten = await inBatches(found[1], async (name) => (await this.forgetUrl(name))?.count ?? null)
      if (forgotten === null) return null
      cursor = found[0]
      count += forgotten
    } while (cursor !== '0')
    return count
  }
}

/** The sum of the results of the tasks, run in batches; null if one of them is null. */
async function inBatches<Each>(
  all: readonly Each[],
  task: (each: Each) => Promise<number | null>,
): Promise<number | null> {
  let sum = 0
  for (let i = 0; i < all.length; i += BATCH) {
    for (const count of await Promise.all(all.slice(i, i + BATCH).map(task))) {
      if (count === null) return null
      sum += count
    }
  }
  return sum
}
