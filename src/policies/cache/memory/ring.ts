import { ALIVE, DEAD, STATE, UNITS } from './entry-layout.ts'
import { HEAD, LIVE, TAIL, UNIT, UNIT_WORDS, USED } from './layout.ts'
import type { ReplyMemory } from './reply-memory.ts'

/** Limits the work of one allocation: units moved per unit allocated, and units that may be moved in any case. */
const MOVED_EACH = 8
const MIN_MOVED = 8_192

/** What the ring asks its owner when it makes room. */
export interface RingUser {
  /** Whether the oldest entry, at that word, is to be kept. */
  isWanted(at: number): boolean
  /** Moves an entry to `to`: calls `move` while the entry is marked as changing for readers. */
  move(at: number, to: number, move: () => void): void
  /** Removes an entry from the index. */
  evict(at: number): void
}

/**
 * A ring buffer of entries: new ones are written at the head. If there is no room, the oldest entry at the tail is evicted or, if it
 * is worth keeping, moved to the head. Only used by the thread with the write lock.
 */
export class Ring {
  private readonly memory: ReplyMemory
  private readonly user: RingUser
  private readonly units: number

  constructor(memory: ReplyMemory, user: RingUser) {
    this.memory = memory
    this.user = user
    this.units = memory.layout.units
  }

  /** Allocates that many units, at most an eighth of the ring. Returns the first word. */
  allocate(units: number): number {
    let credit = Math.max(units * MOVED_EACH, MIN_MOVED)
    while (this.units - this.get(USED) < units + this.skippedFor(units)) credit -= this.makeRoom(credit)
    const at = this.reserve(units)
    this.memory.words[at + UNITS] = units
    this.memory.words[at + STATE] = ALIVE
    this.add(LIVE, units)
    return at
  }

  /** Marks the entry at that word as dead. */
  free(at: number): void {
    this.memory.words[at + STATE] = DEAD
    this.add(LIVE, -this.unitsOf(at))
  }

  /** Evicts the oldest entry, or moves it to the head. Returns how many units were moved. */
  private makeRoom(credit: number): number {
    const at = this.wordOf(this.get(TAIL))
    const units = this.unitsOf(at)
    if (this.memory.word(at + STATE) === DEAD) {
      this.release(units)
      return 0
    }
    if (units > credit || !this.user.isWanted(at)) {
      this.user.evict(at)
      this.release(units)
      return 0
    }
    this.release(units)
    const to = this.reserve(units)
    this.user.move(at, to, () => {
      const { memory } = this
      const [from, into] = [memory.byteOf(at), memory.byteOf(to)]
      memory.bytes.copy(memory.bytes, into, from, from + units * UNIT)
    })
    return units
  }

  /** Releases the oldest units. */
  private release(units: number): void {
    this.set(TAIL, (this.get(TAIL) + units) % this.units)
    this.add(USED, -units)
  }

  /** Reserves units at the head, or at the beginning if they do not fit before the end. Returns the first word. */
  private reserve(units: number): number {
    const left = this.skippedFor(units)
    if (left > 0) {
      const filler = this.wordOf(this.get(HEAD))
      this.memory.words[filler + UNITS] = left
      this.memory.words[filler + STATE] = DEAD
      this.set(HEAD, 0)
      this.add(USED, left)
    }
    const head = this.get(HEAD)
    this.set(HEAD, (head + units) % this.units)
    this.add(USED, units)
    return this.wordOf(head)
  }

  /** Units before the end of the ring that are skipped because the entry does not fit there. */
  private skippedFor(units: number): number {
    const left = this.units - this.get(HEAD)
    return units > left ? left : 0
  }

  private unitsOf(at: number): number {
    return this.memory.word(at + UNITS)
  }

  private wordOf(unit: number): number {
    return this.memory.layout.ring + unit * UNIT_WORDS
  }

  private get(which: number): number {
    return this.memory.word(which)
  }

  private set(which: number, value: number): void {
    this.memory.words[which] = value
  }

  private add(which: number, amount: number): void {
    this.memory.words[which] = this.memory.word(which) + amount
  }
}
