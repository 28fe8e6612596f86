import type { Clock } from '../../../core/clock.ts'
import { hashText } from './hash-text.ts'
import { FLIGHT_SERIAL, FLIGHT_WORDS, SEED } from './layout.ts'
import type { ReplyMemory } from './reply-memory.ts'

/** Words of a place: what is there, whose key it is, and the thread that has begun it or the second until which it is remembered. */
const STATE = 0
const CHECK = 1
const THREAD = 2
const UNTIL = 2

/** What is there besides flights, which have numbers above 0. */
const FREE = 0
const CHANGING = -1
const UNSTORABLE = -2

/** Places that a key may have. */
const WAYS = 4
/** Looks at a place that another thread is just changing before it is taken for a stranger's. */
const PATIENCE = 50

/** A flight of this or another thread. */
export interface SharedFlight {
  readonly at: number
  readonly number: number
}

/** What there is of a key: nothing, a flight, or the knowledge that what the service says to it is not stored. */
export type FlightStatus = SharedFlight | 'none' | 'unstorable'

/**
 * Requests to services that are under way, in memory that all threads have in common. It is bounded: what finds no place there is not
 * known to other threads. Two keys with the same hashes, of which there are hardly ever any, seem to be the same.
 */
export class FlightBoard {
  private readonly memory: ReplyMemory
  private readonly clock: Clock
  private readonly thread: number
  private readonly seed: number

  /** As the thread with that number sees it. */
  constructor(memory: ReplyMemory, clock: Clock, thread: number) {
    this.memory = memory
    this.clock = clock
    this.thread = thread
    this.seed = memory.word(SEED)
  }

  /** What there is of a key. */
  status(key: string): FlightStatus {
    const check = this.checkOf(key)
    for (const at of this.placesOf(key)) {
      const state = this.settledState(at)
      if (state === FREE || state === CHANGING || this.memory.word(at + CHECK) !== check) continue
      if (state > 0) return { at, number: state }
      if (this.isRemembered(at)) return 'unstorable'
    }
    return 'none'
  }

  /** Begins a flight of a key that has none; null where there is no place, or another thread was faster. */
  begin(key: string): SharedFlight | null {
    const { words } = this.memory
    const check = this.checkOf(key)
    for (const at of this.placesOf(key)) {
      const state = this.settledState(at)
      const isFree = state === FREE || (state === UNSTORABLE && !this.isRemembered(at))
      if (!isFree || Atomics.compareExchange(words, at + STATE, state, CHANGING) !== state) {
        if (this.settledState(at) > 0 && this.memory.word(at + CHECK) === check) return null
        continue
      }
      words[at + CHECK] = check
      words[at + THREAD] = this.thread
      const number = (Atomics.add(words, FLIGHT_SERIAL, 1) & 0x3fffffff) + 1
      Atomics.store(words, at + STATE, number)
      return { at, number }
    }
    return null
  }

  /** Resolves when the flight is over, or after so many milliseconds: whoever comes then begins another one. */
  async over(flight: SharedFlight, wait: number): Promise<void> {
    const { value } = Atomics.waitAsync(this.memory.words, flight.at + STATE, flight.number, wait)
    if ((await value) === 'timed-out') this.end(flight)
  }

  /** Ends the flight, if it is still there. */
  end(flight: SharedFlight): void {
    this.replace(flight, FREE)
  }

  /** The same, and it is remembered for so many milliseconds that the key cannot be stored. */
  giveUp(flight: SharedFlight, remembered: number): void {
    if (!this.replace(flight, CHANGING)) return
    const { words } = this.memory
    words[flight.at + UNTIL] = Math.ceil((this.clock.now() + remembered) / 1_000)
    Atomics.compareExchange(words, flight.at + STATE, CHANGING, UNSTORABLE)
  }

  /** Ends what a thread has left that is over. */
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

  private isRemembered(at: number): boolean {
    return this.memory.word(at + UNTIL) * 1_000 > this.clock.now()
  }

  private settledState(at: number): number {
    let state = Atomics.load(this.memory.words, at + STATE)
    for (let i = 0; state === CHANGING && i < PATIENCE; i++) state = Atomics.load(this.memory.words, at + STATE)
    return state
  }

  private checkOf(key: string): number {
    return hashText(key, ~this.seed)
  }

  private placesOf(key: string): number[] {
    const { flights, flightMask } = this.memory.layout
    const hash = hashText(key, this.seed)
    return Array.from({ length: WAYS }, (_, i) => flights + ((hash + i) & flightMask) * FLIGHT_WORDS)
  }
}
