import { ALIVE, DEAD, STATE, UNITS } from './entry-layout.ts'
import { HEAD, LIVE, TAIL, UNIT, UNIT_WORDS, USED } from './layout.ts'
import type { ReplyMemory } from './reply-memory.ts'

/** For one unit that is needed, so many are moved at most, and so many at least are allowed for. */
const MOVED_EACH = 8
const MOVED_LEAST = 8_192

/** What happens to entries where room is made. */
export interface RingUser {
  /** Whether the oldest entry, which begins at that word, is worth being kept. */
  isWanted(at: number): boolean
  /** It is to be moved to `to`: calls `move` while nobody reads it. */
  move(at: number, to: number, move: () => void): void
  /** It is over: it must not be found any more. */
  evict(at: number): void
}

/**
 * Entries one behind the other, round and round: a new one goes to the head, and where it needs room, the oldest ones at the tail end,
 * or go to the head once more where they are worth it. Only who may write uses it.
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

  /** Makes room for an entry of so many units, an eighth of all at most: the word where it is to begin. */
  allocate(units: number): number {
    let credit = Math.max(units * MOVED_EACH, MOVED_LEAST)
    while (this.units - this.get(USED) < units + this.unusableFor(units)) credit -= this.makeRoom(credit)
    const at = this.take(units)
    this.memory.words[at + UNITS] = units
    this.memory.words[at + STATE] = ALIVE
    this.add(LIVE, units)
    return at
  }

  /** The entry at that word only takes room from now on. */
  free(at: number): void {
    this.memory.words[at + STATE] = DEAD
    this.add(LIVE, -this.unitsOf(at))
  }

  /** Calls back with every entry, the oldest first: with the word that it begins at. */
  each(visit: (at: number) => void): void {
    const { memory, units } = this
    let unit = this.get(TAIL)
    for (let left = this.get(USED); left > 0;) {
      const at = this.wordOf(unit)
      const length = this.unitsOf(at)
      if (memory.word(at + STATE) === ALIVE) visit(at)
      unit = (unit + length) % units
      left -= length
    }
  }

  /** Lets the oldest entry make room, or moves it: how many units were moved. */
  private makeRoom(credit: number): number {
    const at = this.wordOf(this.get(TAIL))
    const units = this.unitsOf(at)
    if (this.memory.word(at + STATE) === DEAD) {
      this.pass(units)
      return 0
    }
    if (units > credit || !this.user.isWanted(at)) {
      this.user.evict(at)
      this.pass(units)
      return 0
    }
    this.pass(units)
    const to = this.take(units)
    this.user.move(at, to, () => {
      const { memory } = this
      const [from, into] = [memory.octetOf(at), memory.octetOf(to)]
      memory.octets.copy(memory.octets, into, from, from + units * UNIT)
    })
    return units
  }

  /** The oldest piece is not in use any more. */
  private pass(units: number): void {
    this.set(TAIL, (this.get(TAIL) + units) % this.units)
    this.add(USED, -units)
  }

  /** Takes so many units at the head, which must be there in one piece or at the beginning: the first word of them. */
  private take(units: number): number {
    const left = this.unusableFor(units)
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

  /** Units up to the end where these are too few in one piece. */
  private unusableFor(units: number): number {
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
