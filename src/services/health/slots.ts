import { present } from '../../core/present.ts'
import { type Clock, MAX_DELAY } from '../../core/clock.ts'
import type { Prepared } from '../../core/prepared.ts'
import type { HealthBoard, HealthState } from './board.ts'

/** The part of a service's configuration that lists its instances. */
export interface Addressed {
  readonly instances: readonly { readonly url: { readonly host: string; readonly port: number } }[]
}

/** Distinct instance addresses by service name. */
export type Addresses = ReadonlyMap<string, readonly string[]>

/** Slots by service name and instance address. Sent to the workers together with the configuration. */
export type SlotTable = Readonly<Record<string, ReadonlyMap<string, number>>>

type Table = ReadonlyMap<string, ReadonlyMap<string, number>>

/** The slots of a configuration that is about to replace the current one. */
export interface PreparedSlots extends Prepared {
  readonly slots: SlotTable
}

/** How slots are reassigned. */
export interface Handover {
  /** Initial state of an instance that the previous configuration does not have. */
  readonly state: HealthState
  /**
   * How long the slot of a removed instance keeps its state, in milliseconds, as requests in progress may read it. Repeated while any of
   * them lasts, as WebSockets do.
   */
  readonly gracePeriod: number
}

/** Total number of instances across all services of a configuration. */
export function instancesOf({ services }: { readonly services: Readonly<Record<string, Addressed>> }): number {
  return Object.values(services).reduce((sum, { instances }) => sum + instances.length, 0)
}

/** Assigns every instance a slot on the board; for the main thread. */
export class SlotRegistry {
  private readonly board: HealthBoard
  private readonly clock: Clock
  /** Slots of the configuration in effect. */
  private current: Table = new Map()
  /** Number of slots in use. */
  private taken = 0
  /** The first slot that has never been used. */
  private next = 0
  /** Previously used slots, least recently used first. */
  private free: number[] = []
  /** Functions that cancel the timers of slots freed by reloads. */
  private readonly retiring = new Set<() => void>()

  constructor(board: HealthBoard, clock: Clock) {
    this.board = board
    this.clock = clock
  }

  /**
   * Prepares the slots for the services of a configuration. An instance that stays in its service keeps its slot and state. Throws
   * RangeError, and changes nothing, if there are fewer free slots than new instances.
   */
  prepare(services: Addresses, { state, gracePeriod }: Handover): PreparedSlots {
    const { current } = this
    let [added, taken] = [0, 0]
    for (const [name, addresses] of services)
      for (const address of addresses) {
        taken++
        // Two services may share an address, yet have different views of its health.
        if (current.get(name)?.has(address) !== true) added++
      }
    this.checkRoom(added)
    const fresh: number[] = []
    const slotOf = (name: string, address: string): number => {
      const known = current.get(name)?.get(address)
      if (known !== undefined) return known
      const slot = this.take(state)
      fresh.push(slot)
      return slot
    }
    const next = new Map(
      Array.from(services, ([name, addresses]) => [
        name,
        new Map(Array.from(addresses, (address) => [address, slotOf(name, address)])),
      ]),
    )
    return {
      slots: Object.fromEntries(next),
      commit: () => {
        this.retire(slotsOnlyIn(current, next), gracePeriod)
        this.current = next
        this.taken = taken
      },
      abandon: () => void this.free.push(...fresh),
    }
  }

  /** Stops all timers; the board is no longer used. */
  close(): void {
    for (const callOff of this.retiring) callOff()
  }

  private checkRoom(wanted: number): void {
    const { board, next, free, taken } = this
    const room = board.size - next + free.length
    if (wanted <= room) return
    const retiring = board.size - taken - room
    throw new RangeError(
      `${wanted} instances are added and there is room for ${room}: of ${board.size}, ${taken} are configured ` +
        `and ${retiring} were taken out less than drainTimeout ago, or have requests in flight; add fewer, wait for those, or restart the gateway`,
    )
  }

  private take(state: HealthState): number {
    const { board } = this
    const slot = this.next < board.size ? this.next++ : present(this.free.shift(), 'free slot')
    board.vacate(slot, state)
    return slot
  }

  private retire(slots: readonly number[], time: number): void {
    if (slots.length === 0) return
    const { clock, board, retiring } = this
    const cancel = clock.after(Math.min(time, MAX_DELAY), () => {
      retiring.delete(cancel)
      // The slot's counts include those requests, which will still decrement them.
      const busy = new Set(slots.filter((slot) => board.requests.of(slot) > 0))
      for (const slot of slots) if (!busy.has(slot)) this.free.push(slot)
      this.retire([...busy], time)
    })
    retiring.add(cancel)
  }
}

function slotsOnlyIn(one: Table, other: Table): number[] {
  return [...one].flatMap(([name, slots]) =>
    [...slots].flatMap(([address, slot]) => (other.get(name)?.get(address) === slot ? [] : [slot])),
  )
}
