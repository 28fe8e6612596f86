import type { Clock } from '../core/clock.ts'
import { type Failure, failureOf } from './failure.ts'
import type { OperationMetrics } from './operation-metrics.ts'
import type { Outage } from './outage.ts'

/** State shared by the uses of one connection. */
export interface Shared {
  readonly clock: Clock
  /** The availability of Redis as a whole. */
  readonly server: Outage
  metricsOf(operation: string): OperationMetrics
  /** Calls `expired` when the timeout has elapsed, unless the returned function is called first; that returns whether it had expired. */
  wait(expired: () => void): () => boolean
  /** Records a reply in time. */
  replied(): void
  /** Records that a command sent at `sentAt` was not answered. */
  missed(sentAt: number, again: () => Promise<unknown>): void
  /** Classifies an error. */
  failureOf(error: unknown): Failure
  /** Records that Redis is unavailable as a whole. */
  lost(failure: Failure, again: () => Promise<unknown>): void
}

/**
 * One use of Redis. When Redis does not reply, or rejects a command of this use, no more commands are sent until the same command succeeds
 * in the background. A server that does not reply disables all uses; a rejected command only its own.
 */
export class RedisUse {
  private readonly shared: Shared
  private readonly own: Outage
  private lastAnswered = true

  constructor(shared: Shared, own: Outage) {
    this.shared = shared
    this.own = own
  }

  /** Whether it is known to be unavailable, so that sending commands is pointless. */
  get down(): boolean {
    return this.shared.server.down || this.own.down
  }

  /** Whether Redis replies at all, as far as is known. */
  get reachable(): boolean {
    return !this.shared.server.down
  }

  /** Whether the last command of this use to be answered or given up was answered. */
  get answered(): boolean {
    return this.lastAnswered
  }

  /** Counts something that was done without Redis. */
  missed(): void {
    if (this.own.down) return this.own.missed()
    this.shared.server.missed()
  }

  /**
   * Returns the reply, or null if there is none in time or the command is rejected. `operation` is its name in the metrics. `again` sends
   * an equivalent probe: if the command writes, the probe must write as well.
   */
  ask<Answer>(
    operation: string,
    question: () => Promise<Answer>,
    again: () => Promise<unknown>,
  ): Promise<Answer | null> {
    const { shared } = this
    const metrics = shared.metricsOf(operation)
    const sentAt = shared.clock.now()
    return new Promise((resolve) => {
      const inTime = shared.wait(() => {
        this.lastAnswered = false
        metrics.timedOut()
        shared.missed(sentAt, again)
        resolve(null)
      })
      // The client library throws at once if the slot of a key has no node.
      Promise.try(question).then(
        (answer) => {
          if (inTime()) {
            this.lastAnswered = true
            metrics.answered(shared.clock.now() - sentAt)
            shared.replied()
          }
          resolve(answer)
        },
        (error: unknown) => {
          this.lastAnswered = false
          if (inTime()) metrics.failed()
          this.fail(shared.failureOf(error), again)
          resolve(null)
        },
      )
    })
  }

  private fail(failure: Failure, again: () => Promise<unknown>): void {
    if (failure.isGeneral) return this.shared.lost(failure, again)
    this.own.begin(failure, () => this.probe(again))
  }

  private async probe(again: () => Promise<unknown>): Promise<Failure | null> {
    try {
      await again()
      return null
    } catch (error) {
      return failureOf(error)
    }
  }
}
