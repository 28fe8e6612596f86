import type { Clock } from '../core/clock.ts'
import { type Failure, failureOf } from './failure.ts'
import type { OperationMetrics } from './operation-metrics.ts'
import type { Outage } from './outage.ts'

/** What the uses of one connection share. */
export interface Shared {
  readonly clock: Clock
  /** Of all of Redis. */
  readonly server: Outage
  metricsOf(operation: string): OperationMetrics
  /** Calls `expired` when it is too late for an answer, unless the returned function is called first: that says whether it was. */
  wait(expired: () => void): () => boolean
  /** There was an answer in time. */
  heard(): void
  /** There was none to what was asked at `asked`. */
  unheard(asked: number, again: () => Promise<unknown>): void
  /** What an error means. */
  failureOf(error: unknown): Failure
  /** Redis can be asked nothing. */
  lost(failure: Failure, again: () => Promise<unknown>): void
}

/**
 * One thing that Redis is used for. When it does not answer, or refuses what it is asked, it is not asked any more, until
 * the same is answered in the background: what does not answer at all is done without by all uses, what is refused by one.
 */
export class RedisUse {
  private readonly shared: Shared
  private readonly own: Outage

  constructor(shared: Shared, own: Outage) {
    this.shared = shared
    this.own = own
  }

  /** Whether it is known that there is no sense in asking. */
  get down(): boolean {
    return this.shared.server.down || this.own.down
  }

  /** Whether Redis answers at all, as far as is known. */
  get reachable(): boolean {
    return !this.shared.server.down
  }

  /** Counts something that is done without Redis. */
  missed(): void {
    if (this.own.down) return this.own.missed()
    this.shared.server.missed()
  }

  /**
   * What the question brings, or null where that is nothing in time, or refused. `operation` is what the metrics call the
   * question, and `again` asks for the same: where the question writes it must write as well.
   */
  ask<Answer>(
    operation: string,
    question: () => Promise<Answer>,
    again: () => Promise<unknown>,
  ): Promise<Answer | null> {
    const { shared } = this
    const metrics = shared.metricsOf(operation)
    const asked = shared.clock.now()
    return new Promise((resolve) => {
      const inTime = shared.wait(() => {
        metrics.timedOut()
        shared.unheard(asked, again)
        resolve(null)
      })
      question().then(
        (answer) => {
          if (inTime()) {
            metrics.answered(shared.clock.now() - asked)
            shared.heard()
          }
          resolve(answer)
        },
        (error: unknown) => {
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
