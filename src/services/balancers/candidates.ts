import type { HealthBoard } from '../health/board.ts'
import type { Instance } from '../instance.ts'

/**
 * The instances of one service that may currently be picked; recomputed only when the health board has changed. Instances of weight 0 are
 * never included, ejected ones only if there are no others.
 */
export class Candidates<I extends Instance> {
  /** Includes instances that may not currently be picked. */
  readonly all: readonly I[]
  private readonly board: HealthBoard
  private version: number
  private usable: readonly I[]

  /** `instances` are all instances of the service, in configuration order. */
  constructor(instances: readonly I[], board: HealthBoard) {
    this.all = instances.filter(({ weight }) => weight > 0)
    this.board = board
    this.version = board.version
    this.usable = this.select()
  }

  /** The usable instances in order; returns the same array object until the set changes. */
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
    // If no other instances are left, ejected ones are used again: they may have recovered.
    return usable.length > 0 ? usable : this.all.filter(({ slot }) => this.board.fit(slot))
  }
}

function sameMembers<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((member, index) => member === b[index])
}
