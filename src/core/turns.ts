/** Does one thing at a time, in the order in which they are asked for. */
export class Turns {
  private readonly most: number
  private waiting = 0
  /** Resolves when the last one that was asked for is over. Never rejects. */
  private last: Promise<unknown> = Promise.resolve()

  /** `most` is how many may be under way or wait. */
  constructor(most: number) {
    this.most = most
  }

  /** Resolves or rejects as `work` does, or returns null where too many wait. */
  take<Result>(work: () => Promise<Result>): Promise<Result> | null {
    if (this.waiting >= this.most) return null
    this.waiting++
    const done = this.last.then(work).finally(() => this.waiting--)
    this.last = done.catch(() => {})
    return done
  }
}
