import { isStream } from '../http/body.ts'
import type { Exchange } from '../http/exchange.ts'
import { NotProcessed } from '../http/lane-errors.ts'
import { isRetried, isUnsent } from './after-failures.ts'
import type { Attempt } from './attempt.ts'
import type { PooledInstance } from './pooled-instance.ts'
import { isSafe, mayRepeat, type Retry } from './retry/retry.ts'
import type { Service } from './service.ts'

/** Maximum number of times a request is resent because no service instance had started processing it. */
const MAX_REFUSALS = 3

/**
 * The instances to try after attempts that did not lead to a reply. There is one
 *
 * - if nothing was sent because the connection failed or none was available: until every instance was tried, whatever the request is.
 * - if an idle connection was closed just then (RFC 9112 section 9.3.1): once, over a new connection, and the same instance if there is no
 *   other; only if the request is idempotent, by its method or the service's `retry` option, and the body can be resent (RFC 9110 section
 *   9.2.2). The service has not started processing the request, so this adds no load that would need a budget.
 * - if the service has stated that it did not process the request (RFC 9113 section 8.7): up to MAX_REFUSALS times, whatever the request
 *   is, if its body can be resent; another instance, or the same one over another connection.
 * - if the instance failed, replied that it is unable to handle the request, or was ejected because it stopped replying: according to the
 *   service's `retry` option.
 */
export class Replacements {
  private readonly exchange: Exchange
  private readonly service: Service
  private readonly retry: Retry | null
  private readonly bound: PooledInstance | null
  private readonly tried: PooledInstance[] = []
  /** Whether the request was resent because an idle connection was closed. */
  private repeated = false
  /** How often the request was resent because no instance had started processing it. */
  private refusals = 0
  /** How often `retry` has resent the request. */
  private retries = 0

  /** `retry` is the policy that applies to the exchange, `bound` the instance that the client is bound to; null if there is none. */
  constructor(exchange: Exchange, service: Service, retry: Retry | null, bound: PooledInstance | null) {
    this.exchange = exchange
    this.service = service
    this.retry = retry
    this.bound = bound
  }

  /** The instance to try after a failure; null if the error is returned to the client. */
  afterFailure(attempt: Attempt): PooledInstance | null {
    const { reason, fault } = attempt
    if (isUnsent(reason)) return this.another(attempt)
    if (reason === 'refused') return this.sendAgain(attempt)
    if (fault === 'connection') return this.repeat(attempt)
    return isRetried(reason, fault) ? this.retryOn(attempt) : null
  }

  /** The instance to try after a reply; null if the reply is passed on. */
  afterReply(attempt: Attempt): PooledInstance | null {
    return this.retry?.isFor(attempt.status) === true ? this.retryOn(attempt) : null
  }

  /** The instance to try instead of one that stalls; needs no budget if nothing was sent. */
  afterStall(attempt: Attempt): PooledInstance | null {
    if (attempt.phase === 'connect') return this.another(attempt)
    // A stalled process may resume at any time and execute a request that is out of date by then, so only safe requests are moved.
    return isSafe(this.exchange) ? this.retryOn(attempt) : null
  }

  /** The instance of that attempt is not tried again. */
  exclude({ instance }: Attempt): void {
    this.tried.push(instance)
  }

  private another(attempt: Attempt): PooledInstance | null {
    this.exclude(attempt)
    return this.service.balancer.pick(this.exchange, this.tried)
  }

  /** The instance to resend a request to that the previous one has not started processing; the same one if there is no other. */
  private sendAgain(attempt: Attempt): PooledInstance | null {
    const { instance, error } = attempt
    const lost = isStream(this.exchange.body) && !(error instanceof NotProcessed && error.untouched)
    if (this.refusals === MAX_REFUSALS || lost) return null
    this.refusals++
    if (this.bound === instance) return instance
    return this.another(attempt) ?? instance
  }

  /** The instance to resend a request to after its idle connection was closed. */
  private repeat(attempt: Attempt): PooledInstance | null {
    const { instance } = attempt
    const { exchange, retry } = this
    if (this.repeated || !(mayRepeat(exchange) || retry?.covers(exchange) === true)) return null
    this.repeated = true
    // A session would be lost on another instance, and this one may be fine.
    if (this.bound === instance) return instance
    return this.another(attempt) ?? instance
  }

  /** The instance to try after a failure, if `retry` and its budget allow it. */
  private retryOn(attempt: Attempt): PooledInstance | null {
    const { retry } = this
    if (retry === null || !retry.allows(this.exchange, this.retries)) return null
    // A session would be lost on another instance, and one that replies can report the error itself.
    if (attempt.status !== 0 && this.bound === attempt.instance) return null
    const next = this.another(attempt)
    if (next === null || !retry.spend()) return null
    this.retries++
    return next
  }
}
