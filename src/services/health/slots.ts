import { formatAddress } from '../../core/address.ts'
import type { HealthBoard } from './board.ts'

/** What slots are allotted for: the part of a service's configuration that names its instances. */
export interface Addressed {
  readonly instances: readonly { readonly url: { readonly host: string; readonly port: number } }[]
}

/** Slots by the name of the service and the address of the instance. Goes to the workers with the configuration. */
export type SlotTable = Readonly<Record<string, ReadonlyMap<string, number>>>

/** How many instances the services of a configuration have in all. */
export function instancesOf({ services }: { readonly services: Readonly<Record<string, Addressed>> }): number {
  return Object.values(services).reduce((sum, { instances }) => sum + instances.length, 0)
}

/** Gives every instance its place on the board; for the main thread. */
export class SlotRegistry {
  private readonly board: HealthBoard
  /** Used longest ago first: a worker still on the old configuration reads its old slot undisturbed for longest. */
  private readonly free: number[]
  private taken = new Map<string, number>()

  constructor(board: HealthBoard) {
    this.board = board
    this.free = Array.from({ length: board.size }, (_, slot) => slot)
  }

  /**
   * Slots for the services of a configuration that replaces the one before. An instance that stays in its service keeps
   * its slot and what is known of it; one that is new begins as 'unknown'.
   * Throws RangeError, and changes nothing, when there are more instances than slots.
   */
  allot(services: Readonly<Record<string, Addressed>>): SlotTable {
    const wanted = new Set(
      Object.entries(services).flatMap(([name, service]) =>
        addressesOf(service).map((address) => keyOf(name, address)),
      ),
    )
    if (wanted.size > this.board.size)
      throw new RangeError(
        `${wanted.size} instances are configured, the limit is ${this.board.size}: take out instances or services`,
      )
    for (const [key, slot] of this.taken) {
      if (wanted.has(key)) continue
      this.taken.delete(key)
      this.free.push(slot)
    }
    return Object.fromEntries(
      Object.entries(services).map(([name, service]) => [
        name,
        new Map(addressesOf(service).map((address) => [address, this.slotOf(keyOf(name, address))])),
      ]),
    )
  }

  private slotOf(key: string): number {
    const known = this.taken.get(key)
    if (known !== undefined) return known
    const slot = this.free.shift()!
    this.board.set(slot, 'unknown')
    this.board.drain(slot, false)
    this.taken.set(key, slot)
    return slot
  }
}

function addressesOf({ instances }: Addressed): string[] {
  return instances.map(({ url }) => formatAddress(url))
}

/** Two services may share an address and disagree about its health. */
function keyOf(service: string, address: string): string {
  return `${service} ${address}`
}
