import { formatAddress } from '../../core/address.ts'
import { type Clock, LONGEST_DELAY } from '../../core/clock.ts'
import type { Prepared } from '../../core/prepared.ts'
import type { HealthBoard, HealthState } from './board.ts'

/** What slots are allotted for: the part of a service's configuration that names its instances. */
export interface Addressed {
  readonly instances: readonly { readonly url: { readonly host: string; readonly port: number } }[]
}

/** Slots by the name of the service and the address of the instance. Goes to the workers with the configuration. */
export type SlotTable = Readonly<Record<string, ReadonlyMap<string, number>>>

/** The slots of a configuration that is to replace the one before. */
export interface PreparedSlots extends Prepared {
  readonly slots: SlotTable
}

/** How slots change hands. */
export interface Handover {
  /** What an instance begins with that the configuration before does not have. */
  readonly state: HealthState
  /** How long the slot of an instance that is taken out keeps what it says, in milliseconds: requests under way may look at it. */
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
  /** By service and address, of the configuration that is in effect. */
  private taken: ReadonlyMap<string, number> = new Map()
  /** From here on no slot has ever been used. */
  private next = 0
  /** Used before, longest ago first. */
  private free: number[] = []
  /** Ends the rest of slots that a reload has freed. */
  private readonly resting = new Set<() => void>()

  constructor(board: HealthBoard, clock: Clock) {
    this.board = board
    this.clock = clock
  }

  /**
   * Makes ready the slots for the services of a configuration. An instance that stays in its service keeps its slot and what
   * is known of it. Throws RangeError, and changes nothing, when there are fewer slots than instances that are new.
   */
  prepare(services: Readonly<Record<string, Addressed>>, { state, rest }: Handover): PreparedSlots {
    const names = Object.entries(services).map(
      ([name, { instances }]) => [name, [...new Set(instances.map(({ url }) => formatAddress(url)))]] as const,
    )
    const keys = names.flatMap(([name, addresses]) => addresses.map((address) => keyOf(name, address)))
    const added = keys.filter((key) => !this.taken.has(key))
    this.checkRoom(added.length)
    const fresh = new Map(added.map((key) => [key, this.take(state)]))
    const taken = new Map(keys.map((key) => [key, fresh.get(key) ?? this.taken.get(key)!]))
    const slots = Object.fromEntries(
      names.map(([name, addresses]) => [
        name,
        new Map(addresses.map((address) => [address, taken.get(keyOf(name, address))!])),
      ]),
    )
    return {
      slots,
      commit: () => {
        this.rest(
          [...this.taken].flatMap(([key, slot]) => (taken.has(key) ? [] : [slot])),
          rest,
        )
        this.taken = taken
      },
      abandon: () => void this.free.push(...fresh.values()),
    }
  }

  /** Frees what rests, as nobody looks at the board any more. */
  close(): void {
    for (const end of this.resting) end()
  }

  private checkRoom(wanted: number): void {
    const { board, next, free, taken } = this
    const room = board.size - next + free.length
    if (wanted <= room) return
    const kept = board.size - taken.size - room
    throw new RangeError(
      `${wanted} instances are added and there is room for ${room}: of ${board.size}, ${taken.size} are configured ` +
        `and ${kept} were taken out less than drainTimeout ago; add fewer, wait for those, or restart the gateway`,
    )
  }

  private take(state: HealthState): number {
    const { board } = this
    const slot = this.next < board.size ? this.next++ : this.free.shift()!
    board.set(slot, state)
    board.drain(slot, false)
    return slot
  }

  private rest(slots: readonly number[], time: number): void {
    if (slots.length === 0) return
    const end = (): void => {
      cancel()
      this.resting.delete(end)
      this.free.push(...slots)
    }
    const cancel = this.clock.after(Math.min(time, LONGEST_DELAY), end)
    this.resting.add(end)
  }
}

/** Two services may share an address and disagree about its health. */
function keyOf(service: string, address: string): string {
  return `${service} ${address}`
}
