import type { Address } from '../core/address.ts'
import type { Threads } from '../core/threads.ts'
import type { InstanceChange, NextGeneration } from '../front/next-generation.ts'
import type { ProcessScope } from './process-scope.ts'

/** Another configuration that all threads are ready to answer by. Exactly one of both is called, once. */
export interface PreparedFleet {
  /** Where they would listen: the listeners of the configuration with their actual ports. */
  readonly addresses: readonly Address[]
  /**
   * They answer by it from now on; resolves when all of them do. One that cannot is replaced by one that does. Whoever starts
   * later goes by the configuration of the scope, so that one comes first.
   */
  readonly commit: () => Promise<void>
  readonly abandon: () => void
}

/** The threads that answer requests: workers, or this thread alone. As `Threads` it is those and the main thread. */
export interface Fleet extends Threads {
  /** How many there are to be. */
  readonly size: number
  /** How many there are now. */
  readonly running: number
  /** Listeners are on sockets that were given to the process, from which others may accept as well. */
  readonly onGivenSockets: boolean
  /**
   * Starts them; resolves with where all of them listen: the listeners of the configuration with their actual ports. When it
   * rejects, nothing is left running.
   */
  start(scope: ProcessScope): Promise<readonly Address[]>
  /** The first health checks are through. */
  becomeReady(): void
  /** Makes another configuration ready in all of them. Rejects with an Error that says why one cannot; nothing is left then. */
  prepare(next: NextGeneration): Promise<PreparedFleet>
  /** Has all of them send requests to other instances; resolves when they do. One that does not is replaced by one that does. */
  exchange(change: InstanceChange): Promise<void>
  /** They say that they are not ready any more, and go on all the same; what comes to sockets that were given is for others. */
  retire(): void
  /**
   * Has them accept no more, and let exchanges end within `timeout` ms; for the first `patience` ms clients that are connected
   * may ask for something once more. Resolves when they are gone, with false where one of them cannot be ended.
   */
  drain(timeout: number, patience: number): Promise<boolean>
}
