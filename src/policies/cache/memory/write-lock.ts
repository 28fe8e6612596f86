/** How long one wait for the lock lasts, in milliseconds. */
const STEP = 1

/**
 * A lock in shared memory. If its owner ends while holding it, what it was writing is incomplete: nobody gets the lock until the main
 * thread has repaired the memory and released the lock.
 */
export class WriteLock {
  private readonly words: Int32Array
  private readonly at: number
  private readonly thread: number
  /** The owner that was last waited for in vain: it may have ended. */
  private stuck = 0

  /** The lock in that word, for the thread with that number. */
  constructor(words: Int32Array, at: number, thread: number) {
    this.words = words
    this.at = at
    this.thread = thread
  }

  /**
   * Acquires the lock; false if others hold it for about `timeout` milliseconds, for which this thread is blocked. Once that has
   * failed, it does not block for the same owner again before it has had the lock itself.
   */
  acquire(timeout: number): boolean {
    for (let waited = 0; ; waited += STEP) {
      const owner = Atomics.compareExchange(this.words, this.at, 0, this.thread)
      if (owner === 0) {
        this.stuck = 0
        return true
      }
      if (waited >= timeout || owner === this.stuck) {
        this.stuck = owner
        return false
      }
      Atomics.wait(this.words, this.at, owner, STEP)
    }
  }

  release(): void {
    Atomics.store(this.words, this.at, 0)
    Atomics.notify(this.words, this.at, 1)
  }

  /** Whether the thread with that number holds it. */
  isHeldBy(thread: number): boolean {
    return Atomics.load(this.words, this.at) === thread
  }
}
