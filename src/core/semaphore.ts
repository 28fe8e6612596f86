/** Limits concurrency, by default to one task at a time; the others wait in FIFO order. */
export class Semaphore {
  private free: number
  private readonly waiting: (() => void)[] = []
  private count = 0

  constructor(size = 1) {
    this.free = size
  }

  /** Number of tasks running or waiting. */
  get length(): number {
    return this.count
  }

  /** Runs `work` when its turn comes and settles as it does. */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    this.count++
    if (this.free > 0) this.free--
    else await new Promise<void>((resolve) => void this.waiting.push(resolve))
    try {
      return await work()
    } finally {
      this.count--
      const next = this.waiting.shift()
      if (next === undefined) this.free++
      else next()
    }
  }
}
