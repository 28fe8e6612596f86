import type { Threads } from '../../core/threads.ts'
import { newUuid } from '../../core/uuid.ts'
import type { PolicyToolbox } from '../policy.ts'
import { type Invalidation, invalidatedTopic } from './invalidation-topic.ts'

/** The caches of the other threads of this gateway, as those of one thread see them. */
export class OtherThreads {
  private readonly threads: Threads
  /** Whoever asks all threads is among them. */
  private readonly own = newUuid()
  private readonly endAnswers: () => void
  /** What goes to them at the end of this turn of the event loop; null where nothing was told in it. */
  private waiting: Invalidation[] | null = null

  /** `forget` is called with what another thread tells. */
  constructor(
    { threads, answer }: Pick<PolicyToolbox, 'threads' | 'answer'>,
    forget: (what: readonly Invalidation[]) => void,
  ) {
    this.threads = threads
    this.endAnswers = answer(invalidatedTopic, ({ by, what }) => {
      if (by !== this.own) forget(what)
      return null
    })
  }

  /** The first at once, as its client may ask another thread next; what follows in the same turn goes together. */
  tell(what: Invalidation): void {
    if (this.waiting !== null) return void this.waiting.push(what)
    this.send([what])
    this.waiting = []
    setImmediate(() => {
      const { waiting } = this
      this.waiting = null
      if (waiting !== null && waiting.length > 0) this.send(waiting)
    })
  }

  /** Hears no more of them, and tells them nothing. */
  close(): void {
    this.endAnswers()
    this.send = () => {}
  }

  private send = (what: readonly Invalidation[]): void => {
    void this.threads.askAll(invalidatedTopic, { by: this.own, what })
  }
}
