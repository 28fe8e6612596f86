import type { Clock } from '../../../core/clock.ts'
import { hashText } from './hash-text.ts'
import { FLIGHT_SERIAL, FLIGHT_WORDS, SEED } from './layout.ts'
import type { ReplyMemory } from './reply-memory.ts'

/** Words of a slot: its state, the second hash of the key, and the thread that fetches. */
const STATE = 0
const CHECK = 1
const THREAD = 2
/** Milliseconds of the clock, modulo 2^32: when a flight ends for those who wait, or an unstorable key is forgotten. */
const UNTIL = 3

/** States other than flights, whose numbers are positive. */
const FREE = 0
const CHANGING = -1
const UNSTORABLE = -2

/** Slots in which a key may be. */
const WAYS = 4
/** How often a slot that another thread is changing is read again before it is skipped. */
const SPINS = 50

/** A flight of this thread or another one. */
export interface SharedFlight {
  readonly at: number
  readonly number: number
}

/** What the table knows about a key: nothing, a flight, or that replies to it are not storable. */
export type FlightStatus = SharedFlight | 'none' | 'unstorable'

/**
 * Pending requests to services, in memory shared by all threads. The table is bounded: flights that do not fit are unknown to other
 * threads. Two keys with the same two hashes, which are very rare, are taken for the same key.
 */
export class FlightTable {
  private readonly memory: ReplyMemory
  private readonly clock: Clock
  private readonly thread: number
  private readonly seed: number

  /** The table as used by the thread with that number. */
  constructor(memory: ReplyMemory, clock: Clock, thread: number) {
    this.memory = memory
    this.clock = clock
    this.thread = thread
    this.seed = memory.word(SEED)
  }

  /** What the table knows about a key. */
  status(key: string): FlightStatus {
    const check = this.checkOf(key)
    for (const at of this.slotsOf(key)) {
      const state = this.settledState(at)
      if (state === FREE || state === CHANGING || this.memory.word(at + CHECK) !== check) continue
      if (state > 0) return { at, number: state }
      if (this.remaining(at) > 0) return 'unstorable'
    }
    return 'none'
  }

  /**
   * Starts a flight for a key that has none; others wait for it for at most `wait` ms from now. Null if there is no free slot, or if
   * another thread was faster.
   */
  begin(key: string, wait: number): SharedFlight | null {
    const { words } = this.memory
    const check = this.checkOf(key)
    for (const at of this.slotsOf(key)) {
      const state = this.settledState(at)
      const isFree = state === FREE || (state === UNSTORABLE && this.remaining(at) <= 0)
      if (!isFree || Atomics.compareExchange(words, at + STATE, state, CHANGING) !== state) {
        if (this.settledState(at) > 0 && this.memory.word(at + CHECK) === check) return null
        continue
      }
      words[at + CHECK] = check
      words[at + THREAD] = this.thread
      words[at + UNTIL] = this.now() + Math.ceil(wait)
      const number = (Atomics.add(words, FLIGHT_SERIAL, 1) & 0x3fffffff) + 1
      Atomics.store(words, at + STATE, number)
      return { at, number }
    }
    return null
  }

  /** Resolves when the flight is over, or after `wait` ms. A flight whose own time is over is ended: the next request starts another one. */
  async join(flight: SharedFlight, wait: number): Promise<void> {
    const left = Math.max(0, this.remaining(flight.at))
    const { value } = Atomics.waitAsync(this.memory.words, flight.at + STATE, flight.number, Math.min(wait, left))
    if ((await value) === 'timed-out' && left <= wait) this.end(flight)
  }

  /** Ends the flight, if it is still there. */
  end(flight: SharedFlight): void {
    this.replace(flight, FREE)
  }

  /** Ends the flight; for that many milliseconds the key is known as not storable. */
  giveUp(flight: SharedFlight, remembered: number): void {
    if (!this.replace(flight, CHANGING)) return
    const { words } = this.memory
    words[flight.at + UNTIL] = this.now() + remembered
    Atomics.compareExchange(words, flight.at + STATE, CHANGING, UNSTORABLE)
  }

  /** Ends all flights of a thread that has ended. */
  clear(thread: number): void {
    const { memory } = this
    const { flights, flightMask } = memory.layout
    for (let i = 0; i <= flightMask; i++) {
      const at = flights + i * FLIGHT_WORDS
      const number = Atomics.load(memory.words, at + STATE)
      if (number === CHANGING || (number > 0 && memory.word(at + THREAD) === thread)) this.end({ at, number })
    }
  }

  private replace({ at, number }: SharedFlight, state: number): boolean {
    const { words } = this.memory
    if (Atomics.compareExchange(words, at + STATE, number, state) !== number) return false
    Atomics.notify(words, at + STATE)
    return true
  }

  private now(): number {
    return Math.floor(this.clock.now()) | 0
  }

  /** Milliseconds until the time in the slot. */
  private remaining(at: number): number {
    return (this.memory.word(at + UNTIL) - this.now()) | 0
  }

  private settledState(at: number): number {
    let state = Atomics.load(this.memory.words, at + STATE)
    for (let i = 0; state === CHANGING && i < SPINS; i++) state = Atomics.load(this.memory.words, at + STATE)
    return state
  }

  private checkOf(key: string): number {
    return hashText(key, ~this.seed)
  }

  private slotsOf(key: string): number[] {
    const { flights, flightMask } = this.memory.layout
    const hash = hashText(key, this.seed)
    return Array.from({ length: WAYS }, (_, i) => flights + ((hash + i) & flightMask) * FLIGHT_WORDS)
  }
}
