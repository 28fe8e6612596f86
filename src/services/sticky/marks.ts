import { createHmac } from 'node:crypto'
import type { HealthBoard } from '../health/board.ts'
import type { Instance } from '../instance.ts'
import type { StickyTools } from './sticky.ts'

/** 132 bits in base64url. */
const LENGTH = 22

/**
 * By what clients name instances: a digest of service and address with a key that only gateways have. It tells nothing of the address, nobody
 * else can make one, and all gateways with the same secrets give an instance the same one.
 */
export class Marks<I extends Instance> {
  private readonly board: HealthBoard
  private readonly given = new Map<I, string>()
  private readonly known = new Map<string, I>()

  constructor(service: string, instances: readonly I[], { board, keys }: Pick<StickyTools, 'board' | 'keys'>) {
    this.board = board
    for (const instance of instances)
      for (const key of keys) {
        const digest = createHmac('sha256', key).update(`${service}\0${instance.address}`).digest('base64url')
        const mark = digest.slice(0, LENGTH)
        this.known.set(mark, instance)
        if (!this.given.has(instance)) this.given.set(instance, mark)
      }
  }

  /** The mark of one of the instances. */
  of(instance: I): string {
    return this.given.get(instance) ?? ''
  }

  /** Whether one of the instances has that mark. */
  has(mark: string): boolean {
    return this.known.has(mark)
  }

  /**
   * The instance with that mark, if requests of those who know it may go there: also where it is drained or of weight 0, as that is about new
   * clients. Null where it is gone or unhealthy.
   */
  find(mark: string): I | null {
    const instance = this.known.get(mark)
    return instance !== undefined && this.board.sound(instance.slot) ? instance : null
  }
}
