import type { HealthBoard } from '../health/board.ts'
import type { Instance } from '../instance.ts'

/**
 * The instances of one service that may be picked now: worked out anew only when the health board changed. Those of weight 0
 * never may, and those that are ejected only where there is no other.
 */
export class Candidates<I extends Instance> {
  /** Also those that may not be picked now. */
  readonly all: readonly I[]
  private readonly board: HealthBoard
  private version: number
  private usable: readonly I[]

  /** From all instances of the service, in the order of the configuration. */
  constructor(instances: readonly I[], board: HealthBoard) {
    this.all = instances.filter(({ weight }) => weight > 0)
    this.board = board
    this.version = board.version
    this.usable = this.select()
  }

  /** The usable instances in their order; the same array object until one joins or leaves. */
  current(): readonly I[] {
    const version = this.board.version
    if (version === this.version) return this.usable
    this.version = version
    const usable = this.select()
    if (!sameMembers(usable, this.usable)) this.usable = usable
    return this.usable
  }

  private select(): readonly I[] {
    const usable = this.all.filter(({ slot }) => this.board.usable(slot))
    // Where no other is left, those are asked again that were ejected: they may have recovered.
    return usable.length > 0 ? usable : this.all.filter(({ slot }) => this.board.fit(slot))
  }
}

function sameMembers<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((member, index) => member === b[index])
}
