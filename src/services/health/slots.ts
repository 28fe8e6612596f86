import { present } from '../../core/present.ts'
import { type Clock, LONGEST_DELAY } from '../../core/clock.ts'
import type { Prepared } from '../../core/prepared.ts'
import type { HealthBoard, HealthState } from './board.ts'

/** The part of a service's configuration that names its instances. */
export interface Addressed {
  readonly instances: readonly { readonly url: { readonly host: string; readonly port: number } }[]
}

/** The addresses of services by their names, each once. */
export type Addresses = ReadonlyMap<string, readonly string[]>

/** Slots by the name of the service and the address of the instance. Goes to the workers with the configuration. */
export type SlotTable = Readonly<Record<string, ReadonlyMap<string, number>>>

type Table = ReadonlyMap<string, ReadonlyMap<string, number>>

/** The slots of a configuration that is to replace the one before. */
export interface PreparedSlots extends Prepared {
  readonly slots: SlotTable
}

/** How slots change hands. */
export interface Handover {
  /** What an instance begins with that the configuration before does not have. */
  readonly state: HealthState
  /**
   * How long the slot of an instance that is taken out keeps what it says, in milliseconds: requests under way may look at it. As
   * long again while any of them lasts, as WebSockets do.
   */
  readonly rest: number
}

/** How many instances the services of a configuration have in all. */
export function instancesOf({ services }: { readonly services: Readonly<Record<string, Addressed>> }): number {
  return Object.values(services).reduce((sum, { instances }) => sum + instances.length, 0)
}

/** Gives every instance its place on the board; for the main thread. */
export class SlotRegistry {
  private readonly board: HealthBoard
  private readonly clock: Clock
  /** Of the configuration that is in effect. */
  private current: Table = new Map()
  /** How many those are. */
  private taken = 0
  /** From here on no slot has ever been used. */
  private next = 0
  /** Used before, longest ago first. */
  private free: number[] = []
  /** Call off the ends of rests of slots that reloads have freed. */
  private readonly resting = new Set<() => void>()

  constructor(board: HealthBoard, clock: Clock) {
    this.board = board
    this.clock = clock
  }

  /**
   * Makes ready the slots for the services of a configuration. An instance that stays in its service keeps its slot and what
   * is known of it. Throws RangeError, and changes nothing, when there are fewer slots than instances that are new.
   */
  prepare(services: Addresses, { state, rest }: Handover): PreparedSlots {
    const { current } = this
    let [added, taken] = [0, 0]
    for (const [name, addresses] of services)
      for (const address of addresses) {
        taken++
        // Two services may share an address and disagree about its health.
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
        this.rest(slotsOnlyIn(current, next), rest)
        this.current = next
        this.taken = taken
      },
      abandon: () => void this.free.push(...fresh),
    }
  }

  /** Nobody looks at the board any more. */
  close(): void {
    for (const callOff of this.resting) callOff()
  }

  private checkRoom(wanted: number): void {
    const { board, next, free, taken } = this
    const room = board.size - next + free.length
    if (wanted <= room) return
    const kept = board.size - taken - room
    throw new RangeError(
      `${wanted} instances are added and there is room for ${room}: of ${board.size}, ${taken} are configured ` +
        `and ${kept} were taken out less than drainTimeout ago, or have requests in flight; add fewer, wait for those, or restart the gateway`,
    )
  }

  private take(state: HealthState): number {
    const { board } = this
    const slot = this.next < board.size ? this.next++ : present(this.free.shift(), 'free slot')
    board.vacate(slot, state)
    return slot
  }

  private rest(slots: readonly number[], time: number): void {
    if (slots.length === 0) return
    const { clock, board, resting } = this
    const cancel = clock.after(Math.min(time, LONGEST_DELAY), () => {
      resting.delete(cancel)
      // What is counted there is of those requests, and they will count it back.
      const busy = new Set(slots.filter((slot) => board.requests.of(slot) > 0))
      for (const slot of slots) if (!busy.has(slot)) this.free.push(slot)
      this.rest([...busy], time)
    })
    resting.add(cancel)
  }
}

function slotsOnlyIn(one: Table, other: Table): number[] {
  return [...one].flatMap(([name, slots]) =>
    [...slots].flatMap(([address, slot]) => (other.get(name)?.get(address) === slot ? [] : [slot])),
  )
}
