import type { Clock } from '../core/clock.ts'
import type { Prepared } from '../core/prepared.ts'
import type { Generation } from './generation.ts'

/** What is done with a generation whatever it consists of. */
type Lasting = Pick<Generation, 'takeOver' | 'stop' | 'close' | 'releaser'>

/** One that has been made ready, with all that takes effect together with it. */
interface Made<One extends Lasting> {
  readonly generation: One
  /** For how long exchanges of the one before may go on, in milliseconds. */
  readonly drainTimeout: number
  readonly others: Prepared
}

/** One that is being made ready, or is ready. */
interface Next<One extends Lasting> {
  readonly number: number
  /** Null until it is ready. */
  made: Made<One> | null
}

/** The generation that answers in a thread, the one that may follow it, and those whose last exchanges are under way. */
export class Generations<One extends Lasting> {
  current: One
  /** Number of the configuration within this process, starting at 1. */
  number: number
  private readonly clock: Clock
  private next: Next<One> | null = null
  /** Let go of what only a former one had. */
  private readonly endings = new Set<() => void>()

  constructor(first: One, number: number, clock: Clock) {
    this.current = first
    this.number = number
    this.clock = clock
  }

  /** Makes the one with that number ready, in place of any other. Rejects with what `make` rejects with. */
  async prepare(number: number, make: () => Promise<Made<One>>): Promise<void> {
    this.drop()
    // Not known by its number: after one that was given up, the next attempt has the same.
    const next: Next<One> = { number, made: null }
    this.next = next
    const made = await make()
    if (this.next === next) next.made = made
    else {
      drop(made)
      throw new Error('it is not wanted any more')
    }
  }

  /** The one with that number answers from now on; false where it is not ready. */
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

  /** The one with that number is not going to answer. */
  abandon(number: number): void {
    if (this.next?.number === number) this.drop()
  }

  /** Nothing is under way any more. */
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

  /** What is compiled of it is garbage once its last exchange is over; what it holds waits for the end of `drainTimeout`. */
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
