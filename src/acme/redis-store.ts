import { messageOf } from '../core/error-facts.ts'
import { randomUUID } from 'node:crypto'
import type { Challenge } from './challenge.ts'
import { readChallenge, writeChallenge } from './challenge-text.ts'
import { type AcmeStore, type Lock, MAX_CHALLENGES, type RecordKind } from './store.ts'
import type { RedisClient } from '../redis/client.ts'

const PREFIX = 'sallyport:acme:'
const REVISION = `${PREFIX}revision`
const CHALLENGES = `${PREFIX}challenges`

/** KEYS: lock, holder count. ARGV: owner; milliseconds. Reply: the token; 0 if the lock is held. */
const ACQUIRE = `
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 0 end
return redis.call('INCR', KEYS[2])
`

/** KEYS: lock. ARGV: owner; milliseconds, 0 to release. Reply: 1; 0 if another owner holds the lock. */
const RENEW = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then return redis.call('DEL', KEYS[1]) end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`

/** KEYS: lock, record. ARGV: owner; text. Reply: 1; 0 if another owner holds the lock. */
const WRITE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[2])
return 1
`

const now = `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`

/** KEYS: challenges. ARGV: token; text; milliseconds; maximum number. Reply: 1; 0 if there are too many. */
const PRESENT = `${now}
if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[4]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%d ', now + tonumber(ARGV[3])) .. ARGV[2])
return 1
`

/** KEYS: challenges. Removes expired ones. Reply: the texts of the others. */
const LIVE = `${now}
local all, live = redis.call('HGETALL', KEYS[1]), {}
for i = 1, #all, 2 do
  local ends, text = string.match(all[i + 1], '^(%d+) (.*)$')
  if ends and tonumber(ends) > now then
    live[#live + 1] = text
  else
    redis.call('HDEL', KEYS[1], all[i])
  end
end
return live
`

/** A store in Redis, shared by all gateways that use it: all decisions are made atomically in Redis, using its clock. */
export class RedisAcmeStore implements AcmeStore {
  private readonly client: RedisClient

  /** The client is closed together with the store. */
  constructor(client: RedisClient) {
    this.client = client
  }

  revision(): Promise<string> {
    return this.guarded(async () => (await this.client.get(REVISION)) ?? '')
  }

  read(name: string, kind: RecordKind): Promise<string | null> {
    return this.guarded(() => this.client.get(keyOf(name, kind)))
  }

  write({ name, owner }: Lock, kind: RecordKind, text: string): Promise<boolean> {
    return this.guarded(async () => {
      const written = await this.client.eval(WRITE, 2, keyOf(name, 'lock'), keyOf(name, kind), owner, text)
      if (written !== 1) return false
      await this.client.incr(REVISION)
      return true
    })
  }

  acquire(name: string, ttl: number): Promise<Lock | null> {
    return this.guarded(async () => {
      const owner = randomUUID()
      const token = await this.client.eval(ACQUIRE, 2, keyOf(name, 'lock'), keyOf(name, 'holders'), owner, ttl)
      return token === 0 ? null : { name, owner, token: Number(token) }
    })
  }

  renew({ name, owner }: Lock, ttl: number): Promise<boolean> {
    return this.guarded(async () => (await this.client.eval(RENEW, 1, keyOf(name, 'lock'), owner, ttl)) === 1)
  }

  release({ name, owner }: Lock): Promise<void> {
    return this.guarded(async () => void (await this.client.eval(RENEW, 1, keyOf(name, 'lock'), owner, 0)))
  }

  present(challenge: Challenge, ttl: number): Promise<void> {
    return this.guarded(async () => {
      // Redis determines the expiry: the clocks of different machines are not compared.
      const args = [challenge.token, writeChallenge(challenge), ttl, MAX_CHALLENGES]
      const shown = await this.client.eval(PRESENT, 1, CHALLENGES, ...args)
      if (shown !== 1) throw new Error(`${CHALLENGES} has ${MAX_CHALLENGES} challenges already`)
      await this.client.incr(REVISION)
    })
  }

  withdraw({ token }: Challenge): Promise<void> {
    return this.guarded(async () => {
      await this.client.hdel(CHALLENGES, token)
      await this.client.incr(REVISION)
    })
  }

  challenges(): Promise<Challenge[]> {
    return this.guarded(async () => {
      const texts = await this.client.eval(LIVE, 1, CHALLENGES)
      if (!Array.isArray(texts)) return []
      return texts.flatMap((text) => readChallenge(String(text)) ?? [])
    })
  }

  close(): void {
    this.client.disconnect()
  }

  private async guarded<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work()
    } catch (error) {
      const reason = messageOf(error)
      throw new Error(`Redis cannot be used for certificates: ${reason}`, { cause: error })
    }
  }
}

/** All keys of one name are on the same node of a Cluster. */
function keyOf(name: string, kind: RecordKind | 'lock' | 'holders'): string {
  return `${PREFIX}{${name}}:${kind}`
}
