import { createHmac } from 'node:crypto'
import type { HealthBoard } from '../health/board.ts'
import type { Instance } from '../instance.ts'
import type { StickyTools } from './sticky.ts'

/** 132 bits in base64url. */
const LENGTH = 22

/**
 * Opaque identifiers of instances for clients: a keyed digest of service and address. A mark reveals nothing about the address, only
 * gateways can create it, and all gateways with the same secrets use the same mark for an instance.
 */
export class Marks<I extends Instance> {
  private readonly board: HealthBoard
  private readonly byInstance = new Map<I, string>()
  private readonly byMark = new Map<string, I>()

  constructor(service: string, instances: readonly I[], { board, keys }: Pick<StickyTools, 'board' | 'keys'>) {
    this.board = board
    for (const instance of instances)
      for (const key of keys) {
        const digest = createHmac('sha256', key).update(`${service}\0${instance.address}`).digest('base64url')
        const mark = digest.slice(0, LENGTH)
        this.byMark.set(mark, instance)
        if (!this.byInstance.has(instance)) this.byInstance.set(instance, mark)
      }
  }

  /** The mark of one of the instances. */
  of(instance: I): string {
    return this.byInstance.get(instance) ?? ''
  }

  /** Whether one of the instances has that mark. */
  has(mark: string): boolean {
    return this.byMark.has(mark)
  }

  /**
   * The instance with that mark if it may be used by clients bound to it. That includes drained instances and those of weight 0, which only
   * affects new clients. Null if it is gone or unhealthy.
   */
  find(mark: string): I | null {
    const instance = this.byMark.get(mark)
    return instance !== undefined && this.board.isUsable(instance.slot) ? instance : null
  }
}
