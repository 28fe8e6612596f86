import type { Clock } from '../core/clock.ts'
import { AcmeError } from './acme-error.ts'
import type { AcmeStore, Lock } from './store.ts'

/** Number of renewal attempts within the lifetime of a lock. */
const CHANCES = 3

/** Keeps renewing a lock while work is done under it. */
export class HeldLock {
  readonly lock: Lock
  private readonly store: AcmeStore
  private readonly clock: Clock
  private readonly ttl: number
  private readonly controller = new AbortController()
  private until: number
  private cancel: () => void

  constructor(store: AcmeStore, lock: Lock, ttl: number, clock: Clock) {
    this.store = store
    this.lock = lock
    this.ttl = ttl
    this.clock = clock
    this.until = clock.now() + ttl
    this.cancel = this.keepLater()
  }

  /** Aborted when the lock is lost or may be lost. */
  get lost(): AbortSignal {
    return this.controller.signal
  }

  /** Releases the lock; if that fails, it expires. */
  async release(): Promise<void> {
    this.cancel()
    this.cancel = () => {}
    this.controller.abort(new AcmeError('the lock was released'))
    await this.store.release(this.lock).catch(() => {})
  }

  private keepLater(): () => void {
    return this.clock.after(this.ttl / CHANCES, () => void this.keep())
  }

  private async keep(): Promise<void> {
    const sent = this.clock.now()
    const renewed = await this.store.renew(this.lock, this.ttl).catch(() => null)
    if (this.controller.signal.aborted) return
    if (renewed === true) this.until = sent + this.ttl
    // A store that does not respond may recover in time.
    if (renewed === false || this.clock.now() >= this.until)
      return this.controller.abort(new AcmeError('the lock was lost'))
    this.cancel = this.keepLater()
  }
}
