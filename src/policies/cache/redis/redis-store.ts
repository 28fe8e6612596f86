import type { Bytes } from '../../../http/body.ts'
import type { ReplyStore } from '../reply-store.ts'
import type { CacheAcceptance, CacheStore, CacheUsage, CacheEntry, Missing } from '../store.ts'
import type { Clock } from '../../../core/clock.ts'
import type { Headers } from '../../../http/headers.ts'
import type { Logger } from '../../../core/logger.ts'
import type { Counter } from '../../../core/metrics.ts'
import { SingleFlight } from '../../../core/single-flight.ts'
import {
  answersOf,
  describeEntry,
  makeId,
  pieceOf,
  piecesOf,
  readEntry,
  readIndex,
  type StoredVariant,
  usefulFor,
  writeHead,
} from './codec.ts'
import { entryKey, groupKey, indexKey, PREFIXES, tombstoneKey, urlKey } from './keys.ts'
import { ADD_PIECE, JOIN_GROUP, PREFIXES_SINCE, PUBLISH, REMOVE } from './scripts.ts'
import type { RedisConnection } from '../../../redis/connection.ts'
import { Copies } from './copies.ts'
import { RedisInvalidator, REMEMBERED_FOR } from './redis-invalidator.ts'
import { select } from '../vary.ts'
import { Questions, texts } from './questions.ts'

/** Most variants of one key; beyond that the oldest is dropped. */
const VARIANTS = 64

/** How long pieces are kept until their entry is complete, in milliseconds. */
const PIECE_LIFE = 60_000

/** Shared by all stores on a connection, so that pending invalidations outlive the store on which they were requested. */
const askers = new WeakMap<RedisConnection, { readonly questions: Questions; readonly invalidator: RedisInvalidator }>()

export interface RedisCacheOptions {
  readonly connection: RedisConnection
  readonly clock: Clock
  readonly log: Logger
  /** Most bytes of entries that are also kept in memory. */
  readonly copies: number
  /** Counts evictions from there. */
  readonly evictions: Counter
}

/**
 * Stores entries in Redis, for all threads and processes that use it. Entries are immutable: an entry is found through the index of
 * its key, which is read from Redis each time, so that a copy in memory is used only as long as it is listed there. While Redis is
 * unavailable nothing is found or stored, and invalidations are carried out afterwards.
 */
class RedisCacheStore implements CacheStore {
  readonly flightTable = null
  private readonly client: RedisConnection['client']
  private readonly clock: Clock
  readonly questions: Questions
  readonly invalidator: RedisInvalidator
  private readonly copies: Copies
  /** Ids of entries that were read from or written to Redis, and the keys under which bodies are stored. */
  private readonly ids = new WeakMap<CacheEntry, string>()
  private readonly bodies = new WeakMap<Bytes, string>()
  private readonly loading = new SingleFlight<CacheEntry | Missing>()
  private readonly indexes = new SingleFlight<readonly StoredVariant[]>()
  private readonly askIndex = (name: string): Promise<readonly StoredVariant[]> => this.readIndex(name)

  constructor({ connection, clock, log, copies, evictions }: RedisCacheOptions) {
    this.client = connection.client
    this.clock = clock
    const known = askers.get(connection)
    this.questions = known?.questions ?? new Questions(connection, log)
    this.invalidator = known?.invalidator ?? new RedisInvalidator(connection.client, this.questions, clock)
    askers.set(connection, this)
    this.copies = new Copies(copies, evictions)
  }

  get isWritable(): boolean {
    return this.invalidator.isDone && !this.questions.down
  }

  accepts(): CacheAcceptance {
    if (!this.invalidator.isDone || this.questions.refused) return 'no'
    return this.questions.inTime ? 'yes' : 'maybe'
  }

  maxBody(): number {
    return Number.POSITIVE_INFINITY
  }

  /** Contents of Redis are visible to all stores. */
  adopt(): void {}

  close(): void {}

  usage(): CacheUsage {
    return this.copies.usage
  }

  find(url: string, key: string, request: Headers): Missing | Promise<CacheEntry | Missing> {
    return this.invalidator.isDone && this.questions.answered ? this.look(url, key, request) : 'uri-miss'
  }

  async peek(url: string, key: string, request: Headers): Promise<CacheEntry | Missing> {
    if (!this.invalidator.isDone || !this.questions.answered) return 'uri-miss'
    const name = urlKey(url)
    const variants = await this.readIndex(indexKey(name, key))
    if (variants.length === 0) return 'uri-miss'
    const variant = select(variants, request)
    if (variant === null) return 'vary-miss'
    return (await this.read(entryKey(name, variant.id), variant)) ?? 'uri-miss'
  }

  put(key: string, entry: CacheEntry, begun: number): false | Promise<void> {
    const now = this.clock.now()
    const left = usefulFor(entry, now)
    if (left <= 0 || now - begun > REMEMBERED_FOR || this.accepts() === 'no') return false
    return this.write(key, entry, begun, left)
  }

  remove(key: string, entry: CacheEntry): void {
    const id = this.ids.get(entry)
    if (id === undefined) return
    const url = urlKey(entry.url)
    this.copies.remove(id)
    void this.questions.run(
      'cache-forget',
      REMOVE,
      [indexKey(url, key), entryKey(url, id)],
      [answersOf(entry), id],
      Boolean,
    )
  }

  invalidate(url: string): Promise<number> {
    return this.invalidator.url(url)
  }

  invalidateGroup(group: string): Promise<number> {
    return this.invalidator.group(group)
  }

  invalidatePrefix(prefix: string): Promise<number> {
    return this.invalidator.prefix(prefix)
  }

  private look(url: string, key: string, request: Headers): Promise<CacheEntry | Missing> {
    const name = urlKey(url)
    return this.indexes.follow(indexKey(name, key), this.askIndex).then((variants) => {
      if (variants.length === 0) return 'uri-miss'
      const variant = select(variants, request)
      if (variant === null) return 'vary-miss'
      return this.copies.get(variant.id) ?? this.load(entryKey(name, variant.id), variant)
    })
  }

  private async write(key: string, entry: CacheEntry, begun: number, left: number): Promise<void> {
    const id = makeId(this.clock.wall())
    const name = entryKey(urlKey(entry.url), id)
    const former = entry.body === null ? undefined : this.bodies.get(entry.body)
    let outcome = former === undefined ? 2 : await this.publish(key, entry, id, begun, left, former)
    if (outcome === 2 && (await this.addPieces(name, entry.body)))
      outcome = await this.publish(key, entry, id, begun, left, name)
    if (outcome !== 1 || !(await this.join(entry, begun, left))) return this.remove(key, entry)
    this.remember(id, entry)
  }

  /** The variants of a key in Redis: empty if Redis does not reply. */
  private async readIndex(name: string): Promise<readonly StoredVariant[]> {
    const index = await this.questions.ask('cache-find', () => this.client.hgetall(name))
    if (index === null) return []
    return this.questions.read(() => readIndex(index, this.clock.wall())) ?? []
  }

  /** Concurrent callers for the same entry share one load. */
  private load(name: string, variant: StoredVariant): Promise<CacheEntry | Missing> {
    return this.loading.join(name, () => this.fetch(name, variant))
  }

  private async fetch(name: string, variant: StoredVariant): Promise<CacheEntry | Missing> {
    const entry = await this.read(name, variant)
    if (entry === null) return 'uri-miss'
    this.remember(variant.id, entry)
    return entry
  }

  /** Reads an entry; null if it is not completely there. */
  private async read(name: string, { pieces: count }: StoredVariant): Promise<CacheEntry | null> {
    const first = await this.questions.ask('cache-find', () => this.client.hmgetBuffer(name, 'head', '0'))
    const [head, piece] = first ?? []
    if (!head || (count > 0 && !piece)) return null
    const pieces = piece ? [piece] : []
    for (let i = 1; i < count; i++) {
      const next = await this.questions.ask('cache-find', () => this.client.hgetBuffer(name, String(i)))
      if (next === null) return null
      pieces.push(next)
    }
    return this.questions.read(() => readEntry(head, pieces, this.clock))
  }

  private remember(id: string, entry: CacheEntry): void {
    this.ids.set(entry, id)
    if (entry.body !== null) this.bodies.set(entry.body, entryKey(urlKey(entry.url), id))
    this.copies.add(id, entry)
  }

  /** Writes all pieces but the last, which is written together with the head. */
  private async addPieces(name: string, body: Bytes | null): Promise<boolean> {
    if (body === null) return true
    for (let i = 0; i < piecesOf(body) - 1; i++) {
      const args = [String(i), pieceOf(body, i), PIECE_LIFE]
      if ((await this.questions.run('cache-put', ADD_PIECE, [name], args, () => true)) === null) return false
    }
    return true
  }

  /**
   * Returns the reply of `PUBLISH`; `former` is the key of an entry with the same body, or the entry's own key if the body is
   * written along with it.
   */
  private async publish(
    key: string,
    entry: CacheEntry,
    id: string,
    begun: number,
    left: number,
    former: string,
  ): Promise<number> {
    const url = urlKey(entry.url)
    const name = entryKey(url, id)
    const { body } = entry
    const last = piecesOf(body) - 1
    const piece = body !== null && former === name && last >= 0 ? [String(last), pieceOf(body, last)] : ['', '']
    const described = describeEntry(entry, id, this.clock.wall() + left)
    const args = [this.age(begun), left, key, answersOf(entry), described, writeHead(entry, this.clock), ...piece]
    const keys = [url, tombstoneKey(url), indexKey(url, key), name, former]
    const outcome = await this.questions.run('cache-put', PUBLISH, keys, [...args, VARIANTS, ...entry.groups], Number)
    if (outcome === 1) this.ids.set(entry, id)
    return outcome ?? 0
  }

  /** Adds the entry to its groups. False if one of them, or a prefix of its URL, was invalidated in the meantime. */
  private async join({ url, groups }: CacheEntry, begun: number, left: number): Promise<boolean> {
    const prefixes = this.questions.run('cache-put', PREFIXES_SINCE, [PREFIXES], [this.age(begun)], texts)
    const joined = groups.map((group) => {
      const name = groupKey(group)
      return this.questions.run(
        'cache-put',
        JOIN_GROUP,
        [name, tombstoneKey(name)],
        [this.age(begun), left, url],
        Number,
      )
    })
    const outdated = (await prefixes)?.some((prefix) => url.startsWith(prefix)) ?? true
    return !outdated && (await Promise.all(joined)).every((answer) => answer === 1)
  }

  /** Microseconds since `begun`. */
  private age(begun: number): number {
    return Math.round((this.clock.now() - begun) * 1000)
  }
}

/** Replies in Redis, with copies in the memory of each thread. */
export const redisReplies = {
  name: 'redis',
  isShared: true,
  open({ redis: connection, threads, clock, log }): ReturnType<ReplyStore['open']> {
    if (connection === null) return null
    return (memory, evictions) =>
      new RedisCacheStore({ connection, clock, log, copies: Math.floor(memory / threads), evictions })
  },
} as const satisfies ReplyStore
