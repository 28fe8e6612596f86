import { BoundedMap } from '../../core/bounded-map.ts'
import type { Clock } from '../../core/clock.ts'
import type { SharedFlight } from './memory/flight-board.ts'
import type { CacheStore } from './store.ts'

/** Minimum number of keys remembered as not storable. */
const REMEMBERED = 5_000

/** How long requests for such a key do not wait for one another, in milliseconds. */
const REMEMBERED_FOR = 10_000

/** A request to the service that others may wait for. */
export interface Flight {
  /** Releases the waiting requests: the reply is stored, or will not be. */
  settle(): void
  /** The same, and for a while no request waits for this key: the service's replies to it are not storable. */
  giveUp(): void
}

/**
 * The pending requests to services, one per key; other requests with the same key wait for its reply. If the store has a flight
 * board, they are shared by all threads.
 */
export class Flights {
  private readonly clock: Clock
  private readonly store: Pick<CacheStore, 'board'>
  private readonly flights = new Map<string, Waiting>()
  private readonly unstorable = new BoundedMap<string, number>(REMEMBERED)

  constructor(clock: Clock, store: Pick<CacheStore, 'board'>) {
    this.clock = clock
    this.store = store
  }

  /** Resolves when the flight of that key is over, or after at most `wait` ms, above 0; null if there is none. */
  join(key: string, wait: number): Promise<void> | null {
    const flight = this.flights.get(key)
    if (flight === undefined) return this.joinOther(key, wait)
    flight.cancel ??= this.clock.after(wait, () => flight.settle())
    return new Promise((resolve) => flight.waiting.push(resolve))
  }

  /** Starts a flight; null if there already is one, or if requests should not wait for that key. */
  begin(key: string): Flight | null {
    if (this.flights.has(key) || this.isUnstorable(key)) return null
    const { board } = this.store
    if (board !== null && board.status(key) !== 'none') return null
    const shared = board?.begin(key) ?? null
    // Another thread was faster.
    if (board !== null && shared === null && board.status(key) !== 'none') return null
    return this.take(key, shared)
  }

  private take(key: string, shared: SharedFlight | null): Flight {
    const { board } = this.store
    const flight: Waiting = {
      waiting: [],
      cancel: null,
      settle: () => {
        if (this.flights.get(key) === flight) this.flights.delete(key)
        flight.cancel?.()
        if (shared !== null) board?.end(shared)
        for (const resolve of flight.waiting.splice(0)) resolve()
      },
      giveUp: () => {
        this.markUnstorable(key)
        if (shared !== null) board?.giveUp(shared, REMEMBERED_FOR)
        flight.settle()
      },
    }
    this.flights.set(key, flight)
    return flight
  }

  /** The same for a flight of another thread. */
  private joinOther(key: string, wait: number): Promise<void> | null {
    const { board } = this.store
    const status = board?.status(key) ?? 'none'
    return board === null || typeof status === 'string' ? null : board.over(status, wait)
  }

  private markUnstorable(key: string): void {
    this.unstorable.set(key, this.clock.now() + REMEMBERED_FOR)
  }

  private isUnstorable(key: string): boolean {
    const until = this.unstorable.get(key)
    if (until === undefined) return false
    if (this.clock.now() < until) return true
    this.unstorable.delete(key)
    return false
  }
}

interface Waiting extends Flight {
  readonly waiting: (() => void)[]
  cancel: (() => void) | null
}
