import { z } from 'zod'
import type { Counter } from '../../../core/metrics.ts'
import { itemsOf } from '../../../core/value.ts'
import { parseJson } from '../../../core/parse-json.ts'
import { besideKey } from '../../../redis/beside-key.ts'
import type { StoreKind } from '../../open-stores.ts'
import type { RedisConnection } from '../../../redis/connection.ts'
import type { RedisUse } from '../../../redis/use.ts'
import type { KeyClaim, KeyClaimant, HeldKey, KeyPlace, MakeRepeatStore, RepeatStore, StoredReply } from '../store.ts'
import { LEASE, sizeOf, SPENT_SIZE } from '../store.ts'
import { CLAIM, LOOK, RELEASE, RENEW, SETTLE } from './scripts.ts'

/** How long a key written to test whether Redis accepts writes is kept, in milliseconds. */
const PROBE_LIFE = 1000

type Operation = 'idempotency-claim' | 'idempotency-renew' | 'idempotency-settle'

type Argument = string | number | Buffer

/** A reply without its body. */
const replySchema = z.object({
  status: z.number(),
  fields: z.string(),
  digest: z.string().nullable(),
  hasBody: z.boolean(),
})

/** Keys and replies in Redis, for all gateways that use it. */
class RedisRepeatStore implements RepeatStore {
  private readonly client: RedisConnection['client']
  private readonly use: RedisUse
  private readonly evictions: Counter

  constructor(connection: RedisConnection, evictions: Counter) {
    this.client = connection.client
    this.use = connection.use('idempotency')
    this.evictions = evictions
  }

  async claim({ place, token, head, ttl, forward }: KeyClaimant): Promise<KeyClaim | null> {
    const args = [token, head, LEASE, ttl, forward ? 1 : 0]
    return this.claimOf(place, await this.run('idempotency-claim', CLAIM, [keyOf(place)], args))
  }

  async look({ place, forward }: KeyClaimant): Promise<KeyClaim | null> {
    return this.claimOf(place, await this.run('idempotency-claim', LOOK, [keyOf(place)], [forward ? 1 : 0]))
  }

  private claimOf(place: KeyPlace, answer: readonly unknown[] | null): KeyClaim | null | Promise<KeyClaim | null> {
    if (answer === null) return null
    const [is, first = '', stored = ''] = answer.map(String)
    if (is === 'claimed') return { is }
    if (is === 'lock') return { is: 'outstanding', head: first }
    return is === 'spent' ? { is, head: first } : this.read(place, first, stored)
  }

  async renew(held: readonly HeldKey[]): Promise<void> {
    const renewals = held.map(({ place, token }) =>
      this.run('idempotency-renew', RENEW, [keyOf(place)], [token, LEASE]),
    )
    await Promise.all(renewals)
  }

  keep(held: HeldKey, reply: StoredReply, perClient: number): Promise<boolean> {
    const size = sizeOf(reply)
    if (size > perClient) return this.spend(held, perClient)
    const { body, ...rest } = reply
    const head = JSON.stringify({ ...rest, hasBody: body !== null })
    return this.settle(held, size, perClient, [head, body === null ? '' : Buffer.from(body)])
  }

  spend(held: HeldKey, perClient: number): Promise<boolean> {
    return this.settle(held, SPENT_SIZE, perClient, [])
  }

  async release({ place, token }: HeldKey): Promise<boolean> {
    return (await this.run('idempotency-settle', RELEASE, [keyOf(place)], [token])) !== null
  }

  /** A stored reply; null if its body cannot be read, or no longer exists. */
  private async read(place: KeyPlace, head: string, stored: string): Promise<KeyClaim | null> {
    const parsed = replySchema.safeParse(parseJson(stored))
    const question = async (): Promise<Buffer | null> => this.client.hgetBuffer(keyOf(place), 'b')
    const body = await this.use.ask('idempotency-claim', question, question)
    // If parsing fails it was not written by a gateway.
    if (!parsed.success || body === null) return null
    const { hasBody, ...rest } = parsed.data
    return { is: 'stored', head, reply: { ...rest, body: hasBody ? body : null } }
  }

  private async settle(
    { place, token }: HeldKey,
    size: number,
    perClient: number,
    reply: readonly Argument[],
  ): Promise<boolean> {
    const keys = [keyOf(place), `${clientOf(place)}:kept`, `${clientOf(place)}:octets`]
    const answer = await this.run('idempotency-settle', SETTLE, keys, [token, place.id, size, perClient, ...reply])
    if (answer === null) return false
    const [evicted] = answer
    if (typeof evicted === 'number') this.evictions.add(evicted)
    return true
  }

  /** The result of a script as a list; null if Redis does not reply in time, or refuses. */
  private async run(
    operation: Operation,
    script: string,
    keys: readonly string[],
    args: readonly Argument[],
  ): Promise<readonly unknown[] | null> {
    const { client, use } = this
    if (use.down) {
      use.missed()
      return null
    }
    return use.ask(
      operation,
      async () => {
        const answer: unknown = await client.eval(script, keys.length, ...keys, ...args)
        return Array.isArray(answer) ? itemsOf(answer) : [answer]
      },
      () => client.set(besideKey(keys[0] ?? ''), '', 'PX', PROBE_LIFE),
    )
  }
}

/** The prefix of all keys of one client, with a hash tag: client names contain no braces. */
function clientOf({ client }: KeyPlace): string {
  return `sallyport:idempotency:{${client}}`
}

function keyOf(place: KeyPlace): string {
  return `${clientOf(place)}:key:${place.id}`
}

/** Replies in Redis. */
export const redisRepeats = {
  name: 'redis',
  open({ redis }): MakeRepeatStore | null {
    return redis === null ? null : (evictions) => new RedisRepeatStore(redis, evictions)
  },
} as const satisfies StoreKind<MakeRepeatStore>
