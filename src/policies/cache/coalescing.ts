import { BoundedMap } from '../../core/bounded-map.ts'
import type { Clock } from '../../core/clock.ts'
import type { SharedFlight } from './memory/flight-table.ts'
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
 * table, they are shared by all threads.
 */
export class Flights {
  private readonly clock: Clock
  private readonly store: Pick<CacheStore, 'flightTable' | 'isWritable'>
  private readonly flights = new Map<string, LocalFlight>()
  private readonly unstorable = new BoundedMap<string, number>(REMEMBERED)

  constructor(clock: Clock, store: Pick<CacheStore, 'flightTable' | 'isWritable'>) {
    this.clock = clock
    this.store = store
  }

  /**
   * Joins the flight of that key for at most `left` ms, none if that is 0; or starts one, like `begin`, if `begins` is true. Null if it
   * can do neither.
   */
  joinOrBegin(key: string, left: number, wait: number, begins: boolean): Promise<void> | Flight | null {
    const joined = left > 0 ? this.join(key, left) : null
    if (joined !== null) return joined
    const flight = begins ? this.begin(key, wait) : null
    // Another thread may have started one in between.
    return flight ?? (left > 0 ? this.join(key, left) : null)
  }

  /** Resolves when the flight of that key is over, or after at most `wait` ms, above 0; null if there is none. */
  join(key: string, wait: number): Promise<void> | null {
    const flight = this.flights.get(key)
    if (flight === undefined) return this.joinOther(key, wait)
    const left = Math.max(0, flight.until - this.clock.now())
    flight.cancel ??= this.clock.after(left, () => flight.settle())
    const { promise, resolve } = Promise.withResolvers<void>()
    // A request that has waited before leaves earlier than the others, and does not end the flight for them.
    const cancel = wait < left ? this.clock.after(wait, () => leave()) : null
    const leave = (): void => {
      cancel?.()
      flight.waiting.delete(leave)
      resolve()
    }
    flight.waiting.add(leave)
    return promise
  }

  /**
   * Starts a flight, for which others wait for at most `wait` ms from now; null if there already is one, or if requests should not
   * wait for that key, or for none as nothing is stored at present.
   */
  begin(key: string, wait: number): Flight | null {
    const { flightTable, isWritable } = this.store
    if (!isWritable || this.flights.has(key) || this.isUnstorable(key)) return null
    if (flightTable !== null && flightTable.status(key) !== 'none') return null
    const shared = flightTable?.begin(key, wait) ?? null
    // Another thread was faster.
    if (flightTable !== null && shared === null && flightTable.status(key) !== 'none') return null
    return this.add(key, wait, shared)
  }

  private add(key: string, wait: number, shared: SharedFlight | null): Flight {
    const { flightTable } = this.store
    const flight: LocalFlight = {
      until: this.clock.now() + wait,
      waiting: new Set(),
      cancel: null,
      settle: () => {
        if (this.flights.get(key) === flight) this.flights.delete(key)
        flight.cancel?.()
        if (shared !== null) flightTable?.end(shared)
        for (const leave of flight.waiting) leave()
      },
      giveUp: () => {
        this.markUnstorable(key)
        if (shared !== null) flightTable?.giveUp(shared, REMEMBERED_FOR)
        flight.settle()
      },
    }
    this.flights.set(key, flight)
    return flight
  }

  /** The same for a flight of another thread. */
  private joinOther(key: string, wait: number): Promise<void> | null {
    const { flightTable } = this.store
    const status = flightTable?.status(key) ?? 'none'
    return flightTable === null || typeof status === 'string' ? null : flightTable.join(status, wait)
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

interface LocalFlight extends Flight {
  /** When it ends for those who wait, in milliseconds of the clock. */
  readonly until: number
  /** Releases one of the waiting requests each. */
  readonly waiting: Set<() => void>
  /** Cancels the timer for that; null as long as nobody waits. */
  cancel: (() => void) | null
}
