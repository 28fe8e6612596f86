import type { Deadlines } from '../../http/deadlines.ts'
import type { Ejections } from '../health/ejections.ts'
import type { ReplyCounts } from '../health/reply-counts.ts'
import type { Instance } from '../instance.ts'
import { isUnavailable, type Outcome, type OutcomeListener } from '../outcome.ts'
import type { PassiveOptions } from './index.ts'
import { Judge, type JudgeTools } from './judge.ts'
import { failureCode } from './words.ts'

/**
 * Passive health checking in one thread: counts the outcomes of client requests, and ejects an instance that fails more often than the
 * others.
 */
export class PassiveHealth implements OutcomeListener {
  private readonly judge: Judge
  private readonly deadlines: Deadlines
  private readonly replies: ReplyCounts
  private readonly ejections: Ejections

  constructor(options: PassiveOptions, instances: readonly Instance[], tools: JudgeTools, deadlines: Deadlines) {
    this.judge = new Judge(options, instances, tools)
    this.deadlines = deadlines
    this.replies = tools.board.replies
    this.ejections = tools.board.ejections
  }

  began({ instance, streamed }: Outcome): void {
    // If the client has yet to send the body, the request is not waiting for the instance.
    if (!streamed) this.replies.waitBegins(instance.slot)
  }

  ended(outcome: Outcome): void {
    const { instance, status, fault, streamed, passing, took } = outcome
    const { slot } = instance
    if (!streamed) this.replies.waitEnds(slot)
    if (status === 0) {
      if (fault === 'instance') this.failed(outcome)
      return
    }
    if (!streamed) this.replies.took(slot, took)
    if (this.ejections.stalled(slot)) this.ejections.end(slot, this.deadlines.now, 0)
    // A reply whose body is still being received is not a success yet.
    if (!passing || status >= 500) this.replied(outcome)
  }

  passed(outcome: Outcome): void {
    // A status in trailers was not known before.
    if (outcome.status < 500 || outcome.grpcStatus !== null) this.replied(outcome)
  }

  brokeOff(outcome: Outcome): void {
    if (outcome.status >= 500) return
    if (outcome.fault === 'instance') this.failed(outcome)
    else this.replied(outcome)
  }

  private replied(outcome: Outcome): void {
    const { instance, status } = outcome
    const { slot } = instance
    const { now } = this.deadlines
    if (status < 500) {
      this.replies.good(slot, this.judge.sliceOf(now))
      this.ejections.passed(slot)
      return
    }
    if (isUnavailable(status)) return this.failed(outcome)
    this.replies.error(slot, this.judge.sliceOf(now))
    this.judge.judgeRecent(slot, now)
  }

  private failed({ instance, status, grpcStatus, reason }: Outcome): void {
    const { slot } = instance
    const { now } = this.deadlines
    this.replies.unavailable(slot, this.judge.sliceOf(now))
    this.judge.failed(slot, this.ejections.failed(slot), failureCode(status, reason, grpcStatus), now)
  }
}
