import type { Clock } from '../../../core/clock.ts'

/** Between two attempts, in milliseconds. */
const AGAIN = 500

/** Tasks at a time; instead of more there is one for all of them. */
const MOST = 1_000

/** What has to be done before Redis may be believed again, and could not be done so far. */
export class Backlog {
  private readonly clock: Clock
  private readonly tasks = new Map<string, () => Promise<number | null>>()
  private readonly isOver: () => boolean
  private isWorking = false

  /** `isOver` says that there is no sense in trying any more. */
  constructor(clock: Clock, isOver: () => boolean) {
    this.clock = clock
    this.isOver = isOver
  }

  get isEmpty(): boolean {
    return this.tasks.size === 0
  }

  /** `task` brings null for as long as it cannot be done; `everything` does what all tasks do, and more. */
  add(name: string, task: () => Promise<number | null>, everything: () => Promise<number | null>): void {
    if (this.tasks.size >= MOST) {
      this.tasks.clear()
      this.tasks.set('everything', everything)
    }
    this.tasks.set(name, task)
    if (!this.isWorking) this.workLater()
  }

  private workLater(): void {
    this.isWorking = true
    this.clock.after(AGAIN, () => void this.work())
  }

  private async work(): Promise<void> {
    if (this.isOver()) return
    for (const [name, task] of this.tasks) {
      if ((await task()) === null) return this.workLater()
      if (this.tasks.get(name) === task) this.tasks.delete(name)
    }
    this.isWorking = false
  }
}
