import type { Clock } from '../../../core/clock.ts'

/** Milliseconds between two attempts. */
const AGAIN = 500

/** Most tasks at a time; beyond that they are replaced by one that covers everything. */
const MAX_TASKS = 1_000

/** Tasks that have failed so far and must be completed before the contents of Redis may be trusted again. */
export class Backlog {
  private readonly clock: Clock
  private readonly tasks = new Map<string, () => Promise<number | null>>()
  private readonly isOver: () => boolean
  private isWorking = false

  /** `isOver` returns true when retrying is pointless. */
  constructor(clock: Clock, isOver: () => boolean) {
    this.clock = clock
    this.isOver = isOver
  }

  get isEmpty(): boolean {
    return this.tasks.size === 0
  }

  /** `task` resolves with null if it failed and has to be retried; `everything` does what all tasks do, and more. */
  add(name: string, task: () => Promise<number | null>, everything: () => Promise<number | null>): void {
    if (this.tasks.size >= MAX_TASKS) {
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
