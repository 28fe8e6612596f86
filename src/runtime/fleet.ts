import type { Address } from '../core/address.ts'
import type { Threads } from '../core/threads.ts'
import type { InstanceChange, NextGeneration } from '../front/next-generation.ts'
import type { ProcessScope } from './process-scope.ts'

/** Another configuration that all threads have prepared. Exactly one of the two methods is called, once. */
export interface PreparedFleet {
  /** Addresses it would listen on: the configured listeners with their actual ports. */
  readonly addresses: readonly Address[]
  /**
   * Puts it into effect; resolves when it is in effect in all threads. A thread that fails is replaced. Threads started later use the
   * configuration of the process scope, so that must be updated first.
   */
  readonly commit: () => Promise<void>
  readonly abandon: () => void
}

/** The threads that handle requests: workers, or this thread alone. As `Threads`, includes the main thread. */
export interface Fleet extends Threads {
  /** The intended number of threads. */
  readonly size: number
  /** The current number of threads. */
  readonly running: number
  /** Whether listeners use sockets passed to the process, on which other processes may accept too. */
  readonly onInheritedSockets: boolean
  /**
   * Starts the threads; resolves with the addresses on which all of them listen: the configured listeners with their actual ports. If it
   * rejects, nothing is left running.
   */
  start(scope: ProcessScope): Promise<readonly Address[]>
  /** The first health checks are complete. */
  becomeReady(): void
  /** Prepares another configuration in all threads. If one cannot, rejects with an Error that says why, and nothing is left behind. */
  prepare(next: NextGeneration): Promise<PreparedFleet>
  /** Switches all threads to other instances; resolves when done. A thread that fails is replaced. */
  exchange(change: InstanceChange): Promise<void>
  /** All threads report themselves as not ready, but continue; on sockets passed to the process, others accept connections. */
  retire(): void
  /**
   * Stops accepting connections and lets exchanges finish within `timeout` ms; for the first `gracePeriod` ms, connected clients may send
   * another request. Resolves when the threads have ended, with false if one of them cannot be terminated.
   */
  drain(timeout: number, gracePeriod: number): Promise<boolean>
}
