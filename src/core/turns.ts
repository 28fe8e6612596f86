/** Does one thing at a time, in the order in which they are asked for. */
export class Turns {
  private count = 0
  /** Resolves when the last one that was asked for is over. Never rejects. */
  private last: Promise<unknown> = Promise.resolve()

  /** How many are under way or wait. */
  get length(): number {
    return this.count
  }

  /** Resolves or rejects as `work` does, which begins once all before it are over. */
  take<Result>(work: () => Promise<Result>): Promise<Result> {
    this.count++
    const done = this.last.then(work).finally(() => this.count--)
    this.last = done.catch(() => {})
    return done
  }
}
