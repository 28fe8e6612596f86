import type { ClientHash } from './client-hash.ts'

/** How many entries a client's may be in: bounds the work of every operation. */
const PROBES = 16
const HEADER_BYTES = 64
const ENTRY_BYTES = 24
const INTS = ENTRY_BYTES / Int32Array.BYTES_PER_ELEMENT
const WORDS = ENTRY_BYTES / BigInt64Array.BYTES_PER_ELEMENT
const FIRST_INT = HEADER_BYTES / Int32Array.BYTES_PER_ELEMENT
const FIRST_WORD = HEADER_BYTES / BigInt64Array.BYTES_PER_ELEMENT
/** Positions in the header. */
const SEED = 0
const EVICTIONS = 1
/** Positions in an entry: tag, check and count with 32 bits each, and `until` with 64 bits. */
const CHECK = 1
const COUNT = 4
const UNTIL = 1
/** Reserved tags, which no client has. */
const EMPTY = 0
const CHANGING = 1
/** How long an entry is left alone after its end, in microseconds: another thread may just be counting on it. */
const GRACE = 1_000_000
/** How often to look at an entry that another thread is just creating before treating it as another client's. */
const TIMEOUT = 20

/**
 * Lock-free counts of many clients in memory shared by all threads.
 *
 * A client's entries are within `PROBES` positions from the one given by its hash. An entry belongs to one client from when it is
 * claimed until `GRACE` after its end; then it may be reused, the oldest first. If all positions are taken by entries that still
 * count, the one that would end first is evicted, and its client starts from zero: `evictions` counts these.
 *
 * Two threads may create an entry each for one client at the same moment. Both remain, and their sum counts. A thread first adds
 * its own count and then sums up, so that of two threads at least one sees the other's count.
 *
 * Times are whole microseconds of a clock shared by all threads.
 */
export class SharedTable {
  /** To be posted to another thread, which opens it with the constructor. */
  readonly buffer: SharedArrayBuffer
  /** Makes hashes unpredictable to outsiders. */
  readonly seed: number

  /** Result of `find`: the first entry that counts, or -1. */
  entry = -1
  /** Number of entries that count. */
  matches = 0
  /** Sum of their counts. */
  count = 0
  /** Sum of the microseconds until they end. */
  backlog = 0
  /** When the last of them ends, 0 if there is none. */
  until = 0

  private readonly ints: Int32Array
  private readonly words: BigInt64Array
  private readonly mask: number
  /** The state of the entry to be replaced when it was chosen. */
  private victimTag = EMPTY
  private victimUntil = 0

  /** Opens a table created by `create`. */
  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer
    this.ints = new Int32Array(buffer)
    this.words = new BigInt64Array(buffer)
    this.mask = (buffer.byteLength - HEADER_BYTES) / ENTRY_BYTES - 1
    this.seed = Atomics.load(this.ints, SEED)
  }

  /** Creates a table with at least that many entries: the next power of two. */
  static create(entries: number, random: () => number = Math.random): SharedTable {
    const size = 2 ** Math.ceil(Math.log2(Math.max(entries, PROBES)))
    const buffer = new SharedArrayBuffer(HEADER_BYTES + size * ENTRY_BYTES)
    new Int32Array(buffer)[SEED] = Math.floor(random() * 2 ** 32)
    return new SharedTable(buffer)
  }

  /** Number of entries. */
  get size(): number {
    return this.mask + 1
  }

  /** Entries that were evicted while they still counted, in all threads since the start. */
  get evictions(): number {
    return Atomics.load(this.ints, EVICTIONS) >>> 0
  }

  /** Looks up the client's entries that end after `since`, and stores the result in the fields of the table. */
  find(hash: ClientHash, since: number, now: number): void {
    for (let looks = 0; looks < TIMEOUT; looks++) if (this.look(hash, since, now)) return
  }

  /** Adds to the count of an entry and returns its previous value. */
  add(entry: number, cost: number): number {
    return Atomics.add(this.ints, this.intOf(entry) + COUNT, cost)
  }

  /** When the entry ends. */
  untilOf(entry: number): number {
    return Number(Atomics.load(this.words, this.wordOf(entry)))
  }

  /** Moves the end of an entry if it is still `from`. Returns whether it did. */
  moveUntil(entry: number, from: number, to: number): boolean {
    const expected = BigInt(from)
    return Atomics.compareExchange(this.words, this.wordOf(entry), expected, BigInt(to)) === expected
  }

  /**
   * Whether an entry that counts still belongs to the client. It does while it is being changed: the other thread has mistaken it
   * for an expired one, and will notice.
   */
  owns(entry: number, { tag, check }: ClientHash): boolean {
    const int = this.intOf(entry)
    const found = Atomics.load(this.ints, int)
    return found === CHANGING || (found === tag && Atomics.load(this.ints, int + CHECK) === check)
  }

  /** Creates an entry for the client and returns it; -1 if another thread was faster. */
  claim(hash: ClientHash, now: number, until: number, count: number): number {
    const entry = this.victim(hash.tag, now)
    if (entry === -1) return -1
    const { ints, victimTag, victimUntil } = this
    const int = this.intOf(entry)
    if (Atomics.compareExchange(ints, int, victimTag, CHANGING) !== victimTag) return -1
    // Another thread may have reused it for the same client in the meantime.
    if (this.untilOf(entry) !== victimUntil) {
      Atomics.store(ints, int, victimTag)
      return -1
    }
    if (victimTag !== EMPTY && victimUntil > now) Atomics.add(ints, EVICTIONS, 1)
    Atomics.store(ints, int + CHECK, hash.check)
    Atomics.store(ints, int + COUNT, count)
    Atomics.store(this.words, this.wordOf(entry), BigInt(until))
    Atomics.store(ints, int, hash.tag)
    return entry
  }

  /** Ends all of the client's entries. */
  forget(hash: ClientHash, now: number): void {
    for (let tries = 0; tries < PROBES; tries++) {
      this.find(hash, now, now)
      if (this.entry === -1) return
      this.moveUntil(this.entry, this.untilOf(this.entry), now)
    }
  }

  /** False if an entry is just being created that may become the client's. */
  private look({ tag, check }: ClientHash, since: number, now: number): boolean {
    const { ints } = this
    let settled = true
    this.entry = -1
    this.matches = 0
    this.count = 0
    this.backlog = 0
    this.until = 0
    for (let probe = 0; probe < PROBES; probe++) {
      const entry = (tag + probe) & this.mask
      const int = this.intOf(entry)
      const found = Atomics.load(ints, int)
      // Positions are filled in order and never become empty again: no entry follows this one.
      if (found === EMPTY) break
      if (found === CHANGING) settled = false
      if (found !== tag || Atomics.load(ints, int + CHECK) !== check) continue
      const until = this.untilOf(entry)
      const count = Atomics.load(ints, int + COUNT)
      if (until <= since || Atomics.load(ints, int) !== tag) continue
      if (this.entry === -1) this.entry = entry
      this.matches++
      this.count += count
      if (until > now) this.backlog += until - now
      if (until > this.until) this.until = until
    }
    return settled || this.entry !== -1
  }

  /** The entry to be replaced: the one that ended first, otherwise an empty one, otherwise the one that ends first. */
  private victim(tag: number, now: number): number {
    let victim = -1
    this.victimTag = EMPTY
    this.victimUntil = Infinity
    for (let probe = 0; probe < PROBES; probe++) {
      const entry = (tag + probe) & this.mask
      const found = Atomics.load(this.ints, this.intOf(entry))
      if (found === CHANGING) continue
      const until = this.untilOf(entry)
      if (found === EMPTY && this.victimUntil + GRACE <= now) break
      if (found !== EMPTY && until >= this.victimUntil) continue
      victim = entry
      this.victimTag = found
      this.victimUntil = until
      if (found === EMPTY) break
    }
    return victim
  }

  private intOf(entry: number): number {
    return FIRST_INT + entry * INTS
  }

  private wordOf(entry: number): number {
    return FIRST_WORD + entry * WORDS + UNTIL
  }
}
