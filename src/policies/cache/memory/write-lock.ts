/** Milliseconds for which a thread that wants to write is still at a time. */
const STEP = 1

/**
 * Lets one thread write at a time. Where a thread ends while it has the lock, what it was writing is half done: nobody gets the lock
 * until somebody has made that good and let go of it in the other's name.
 */
export class WriteLock {
  private readonly words: Int32Array
  private readonly at: number
  private readonly thread: number
  /** Who was waited for in vain, as it may have ended. */
  private stuck = 0

  /** The lock in that word, for the thread with that number. */
  constructor(words: Int32Array, at: number, thread: number) {
    this.words = words
    this.at = at
    this.thread = thread
  }

  /**
   * Takes it; false where others have had it for about so many milliseconds, in which this thread does nothing else. It is not still again
   * for the sake of the same thread before it has had the lock itself.
   */
  take(patience: number): boolean {
    for (let waited = 0; ; waited += STEP) {
      const holder = Atomics.compareExchange(this.words, this.at, 0, this.thread)
      if (holder === 0) {
        this.stuck = 0
        return true
      }
      if (waited >= patience || holder === this.stuck) {
        this.stuck = holder
        return false
      }
      Atomics.wait(this.words, this.at, holder, STEP)
    }
  }

  /** Lets go of it. */
  release(): void {
    Atomics.store(this.words, this.at, 0)
    Atomics.notify(this.words, this.at, 1)
  }

  /** Whether the thread with that number has it. */
  isHeldBy(thread: number): boolean {
    return Atomics.load(this.words, this.at) === thread
  }
}
