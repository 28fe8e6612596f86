import type { Clock } from '../core/clock.ts'
import type { Prepared } from '../core/prepared.ts'
import type { Generation } from './generation.ts'

/** Lifecycle methods of a generation, independent of its content. */
type Lasting = Pick<Generation, 'takeOver' | 'stop' | 'close' | 'releaser'>

/** A prepared generation, together with everything else that takes effect with it. */
interface Made<One extends Lasting> {
  readonly generation: One
  /** How long exchanges of the previous generation may continue, in milliseconds. */
  readonly drainTimeout: number
  readonly others: Prepared
}

/** A generation that is being prepared or is ready. */
interface Next<One extends Lasting> {
  readonly number: number
  /** Null until it is ready. */
  made: Made<One> | null
}

/** The generation in effect in a thread, the one that may follow it, and previous ones with exchanges still in progress. */
export class Generations<One extends Lasting> {
  current: One
  /** Number of the configuration within this process, starting at 1. */
  number: number
  private readonly clock: Clock
  private next: Next<One> | null = null
  /** Functions that release what only a previous generation used. */
  private readonly endings = new Set<() => void>()

  constructor(first: One, number: number, clock: Clock) {
    this.current = first
    this.number = number
    this.clock = clock
  }

  /** Prepares the generation with that number, replacing any other pending one. Rejects with the error of `make`. */
  async prepare(number: number, make: () => Promise<Made<One>>): Promise<void> {
    this.drop()
    // Compared by object, not by number: a retry after an abandoned attempt has the same number.
    const next: Next<One> = { number, made: null }
    this.next = next
    const made = await make()
    if (this.next === next) next.made = made
    else {
      drop(made)
      throw new Error('it is no longer needed')
    }
  }

  /** Puts the generation with that number into effect; returns false if it is not ready. */
  commit(number: number): boolean {
    const { next, current } = this
    if (next === null || next.number !== number || next.made === null) return false
    const { generation, drainTimeout, others } = next.made
    this.next = null
    this.current = generation
    this.number = number
    generation.takeOver()
    others.commit()
    this.end(current, drainTimeout)
    return true
  }

  /** Abandons the generation with that number. */
  abandon(number: number): void {
    if (this.next?.number === number) this.drop()
  }

  /** Called when nothing is in progress any more. */
  close(): void {
    this.drop()
    for (const end of this.endings) end()
    this.current.close()
  }

  private drop(): void {
    const made = this.next?.made ?? null
    this.next = null
    if (made !== null) drop(made)
  }

  /** Compiled parts become garbage after the last exchange; held resources are released after `drainTimeout`. */
  private end(generation: One, drainTimeout: number): void {
    generation.stop()
    const release = generation.releaser
    const end = (): void => {
      cancel()
      this.endings.delete(end)
      release()
    }
    const cancel = this.clock.after(drainTimeout, end)
    this.endings.add(end)
  }
}

function drop({ generation, others }: Made<Lasting>): void {
  others.abandon()
  generation.close()
}
