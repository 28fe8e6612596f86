import type { Clock } from '../../../core/clock.ts'
import { type KeyClaim, type KeyClaimant, type HeldKey, LEASE, sizeOf, SPENT_SIZE, type StoredReply } from '../store.ts'
import { Shares } from './shares.ts'

/** Interval at which expired keys are removed, in milliseconds. */
const SWEEP = 60_000

/** A key. */
interface Entry {
  readonly id: string
  readonly client: string
  readonly token: string
  readonly head: string
  /** When it expires, in milliseconds. */
  readonly until: number
  /** Until when its request is assumed to be in progress; 0 if it is not. */
  lease: number
  /** Whether the outcome of the request is known. */
  over: boolean
  /** Null if there is none, or not yet. */
  reply: StoredReply | null
  /** Bytes. */
  size: number
}

/** The contents of the store. */
export interface RepeatUsage {
  readonly keys: number
  /** Approximate bytes of replies. */
  readonly bytes: number
}

/** Keys and replies of one process: kept in its main thread, which all workers ask, so that they share them. */
export class MemoryRepeats {
  /** Number of replies that were evicted before they expired. */
  evictions = 0
  private readonly clock: Clock
  private limit: number
  private readonly entries = new Map<string, Entry>()
  private readonly shares = new Shares<Entry>()
  private bytes = 0

  /** `limit` is the maximum number of bytes of replies. */
  constructor(clock: Clock, limit: number) {
    this.clock = clock
    this.limit = limit
  }

  get usage(): RepeatUsage {
    return { keys: this.entries.size, bytes: this.bytes }
  }

  /** Changes the maximum number of bytes. */
  resize(limit: number): void {
    this.limit = limit
    this.makeRoom('', 0)
  }

  /** Periodically removes expired keys, until the returned function is called. */
  sweep(): () => void {
    return this.clock.every(SWEEP, () => {
      for (const entry of this.entries.values()) this.look(entry)
    })
  }

  /** Null if there is no room for another key. */
  claim({ place, token, head, ttl, forward }: KeyClaimant): KeyClaim | null {
    const { client } = place
    const id = idOf(place)
    const known = this.entries.get(id)
    if (known !== undefined && this.look(known)) {
      if (known.reply !== null) return { is: 'stored', head: known.head, reply: known.reply }
      if (known.lease > 0) return { is: 'outstanding', head: known.head }
      if (!forward) return { is: 'spent', head: known.head }
      this.forget(known)
    }
    if (!this.makeRoom(client, SPENT_SIZE)) return null
    const now = this.clock.now()
    const entry = {
      id,
      client,
      token,
      head,
      until: now + ttl,
      lease: now + LEASE,
      over: false,
      reply: null,
      size: SPENT_SIZE,
    }
    this.entries.set(id, entry)
    this.bytes += SPENT_SIZE
    return { is: 'claimed' }
  }

  /** What `claim` would return if there is room, without changing anything. */
  peek({ place, forward }: KeyClaimant): KeyClaim {
    const now = this.clock.now()
    const known = this.entries.get(idOf(place))
    if (known === undefined || known.until <= now) return { is: 'claimed' }
    const { reply, lease, head } = known
    if (reply !== null) return { is: 'stored', head, reply }
    if (lease > now) return { is: 'outstanding', head }
    return forward ? { is: 'claimed' } : { is: 'spent', head }
  }

  renew(held: readonly HeldKey[]): void {
    const lease = this.clock.now() + LEASE
    for (const each of held) {
      const entry = this.underWay(each)
      if (entry !== null) entry.lease = lease
    }
  }

  keep(held: HeldKey, reply: StoredReply, perClient: number): void {
    const entry = this.underWay(held)
    if (entry === null) return
    const size = sizeOf(reply)
    const { client } = entry
    if (size > perClient) return this.spend(held, perClient)
    this.evictOwn(client, perClient - size)
    if (!this.makeRoom(client, size - entry.size)) return this.spend(held, perClient)
    this.bytes += size - entry.size
    entry.size = size
    entry.reply = reply
    entry.over = true
    this.mayGo(entry)
  }

  spend(held: HeldKey, perClient: number): void {
    const entry = this.underWay(held)
    if (entry === null) return
    this.evictOwn(entry.client, perClient - entry.size)
    entry.over = true
    this.mayGo(entry)
  }

  release(held: HeldKey): void {
    const entry = this.underWay(held)
    if (entry !== null) this.forget(entry)
  }

  /** From now on it may be evicted. */
  private mayGo(entry: Entry): void {
    entry.lease = 0
    this.shares.add(entry.client, entry)
  }

  /** Looks up an entry that has not expired. If its lease has run out, the request is assumed to have been sent. */
  private look(entry: Entry): boolean {
    const now = this.clock.now()
    if (entry.until <= now) {
      this.forget(entry)
      return false
    }
    if (entry.lease > 0 && entry.lease <= now) this.mayGo(entry)
    return true
  }

  private underWay({ place, token }: HeldKey): Entry | null {
    const entry = this.entries.get(idOf(place))
    if (entry === undefined || entry.token !== token || entry.over) return null
    // It is still in progress although its lease had run out.
    if (entry.lease === 0) this.shares.remove(entry.client, entry)
    return entry
  }

  private evictOwn(client: string, bytes: number): void {
    while (this.shares.bytesOf(client) > bytes) {
      const oldest = this.shares.oldest(client)
      if (oldest === undefined) return
      this.evict(oldest)
    }
  }

  /** Makes room for more bytes of a client. False if that is impossible. */
  private makeRoom(client: string, bytes: number): boolean {
    while (this.bytes + bytes > this.limit) {
      const victim = this.shares.victim(client)
      if (victim === undefined) return false
      this.evict(victim)
    }
    return true
  }

  private evict(entry: Entry): void {
    this.evictions++
    this.forget(entry)
  }

  private forget(entry: Entry): void {
    this.shares.remove(entry.client, entry)
    this.bytes -= entry.size
    this.entries.delete(entry.id)
  }
}

function idOf({ client, id }: HeldKey['place']): string {
  return `${client} ${id}`
}
