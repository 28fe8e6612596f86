import type { Clock } from '../core/clock.ts'
import type { Prepared } from '../core/prepared.ts'
import type { Generation } from './generation.ts'

/** One that has been made ready, with all that takes effect together with it. */
interface Next {
  readonly number: number
  readonly generation: Generation
  /** For how long exchanges of the one before may go on, in milliseconds. */
  readonly drainTimeout: number
  readonly others: Prepared
}

/** The generation that answers in a thread, the one that may follow it, and those whose last exchanges are under way. */
export class Generations {
  current: Generation
  /** Counts the configurations of this process: 1 is that of its start. */
  number: number
  private readonly clock: Clock
  /** The number of the one that is being made ready, or is ready. */
  private awaited = 0
  private next: Next | null = null
  /** Let go of what only a former one had. */
  private readonly endings = new Set<() => void>()

  constructor(first: Generation, number: number, clock: Clock) {
    this.current = first
    this.number = number
    this.clock = clock
  }

  /** Makes the one with that number ready, in place of any other. Rejects with what `make` rejects with. */
  async prepare(number: number, make: () => Promise<Omit<Next, 'number'>>): Promise<void> {
    this.abandon(this.awaited)
    this.awaited = number
    const made = await make()
    if (this.awaited !== number) {
      drop(made)
      throw new Error('it is not wanted any more')
    }
    this.next = { number, ...made }
  }

  /** The one with that number answers from now on; false where it is not ready. */
  commit(number: number): boolean {
    const { next, current } = this
    if (next?.number !== number) return false
    this.next = null
    this.current = next.generation
    this.number = number
    this.current.takeOver()
    next.others.commit()
    this.end(current, next.drainTimeout)
    return true
  }

  /** The one with that number is not going to answer. */
  abandon(number: number): void {
    if (this.awaited !== number) return
    this.awaited = 0
    if (this.next !== null) drop(this.next)
    this.next = null
  }

  /** Nothing is under way any more. */
  close(): void {
    this.abandon(this.awaited)
    for (const end of this.endings) end()
    this.current.close()
  }

  /** What is compiled of it is garbage once its last exchange is over; what it holds waits for the end of `drainTimeout`. */
  private end(generation: Generation, drainTimeout: number): void {
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

function drop({ generation, others }: Omit<Next, 'number'>): void {
  others.abandon()
  generation.close()
}
