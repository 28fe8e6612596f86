/** Does so many things at a time, one unless it is told otherwise; the others wait, in the order in which they are asked for. */
export class Turns {
  private free: number
  private readonly waiting: (() => void)[] = []
  private count = 0

  constructor(size = 1) {
    this.free = size
  }

  /** How many are under way or wait. */
  get length(): number {
    return this.count
  }

  /** Resolves or rejects as `work` does, which begins once it is its turn. */
  async take<Result>(work: () => Promise<Result>): Promise<Result> {
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
