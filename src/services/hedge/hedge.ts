import type { Clock } from '../../core/clock.ts'
import type { Counter, Metrics } from '../../core/metrics.ts'
import type { Exchange } from '../../http/exchange.ts'
import type { Outcome, OutcomeListener } from '../outcome.ts'
import type { RetryBudget } from '../retry/retry-budget.ts'
import { isSafe } from '../retry/retry.ts'
import { type HedgeOptions, partOf } from './index.ts'
import { Percentile } from './percentile.ts'

/** What it is made with. */
export interface HedgeTools {
  readonly clock: Clock
  readonly metrics: Pick<Metrics, 'counter'>
  readonly budget: RetryBudget
}

/** Which requests to one service go to another instance as well, when the first one takes long (The Tail at Scale, 2013). */
export class Hedge implements OutcomeListener {
  /** How many may be. */
  readonly budget: RetryBudget
  private readonly clock: Clock
  private readonly won: Counter
  private readonly lost: Counter
  private readonly exhausted: Counter
  /** In milliseconds, where that is fixed. */
  private readonly fixed: number
  /** How long requests take, where it follows from that. */
  private readonly percentile: Percentile | null

  constructor(service: string, { after }: HedgeOptions, { clock, metrics, budget }: HedgeTools) {
    this.clock = clock
    this.budget = budget
    this.won = metrics.counter('sallyport_hedges_total', { service, outcome: 'won' })
    this.lost = metrics.counter('sallyport_hedges_total', { service, outcome: 'lost' })
    this.exhausted = metrics.counter('sallyport_hedge_budget_exhausted_total', { service })
    this.fixed = typeof after === 'number' ? after : Number.POSITIVE_INFINITY
    this.percentile = typeof after === 'number' ? null : new Percentile(partOf(after))
  }

  /** How long to wait for the first instance, in milliseconds; Infinity while that is not known. */
  get delay(): number {
    const { percentile } = this
    return percentile === null ? this.fixed : Math.ceil(percentile.at(this.clock.now()))
  }

  /** Whether a request may be sent to two instances at once: it changes nothing, and has no body and no other protocol to come. */
  isFor(exchange: Exchange): boolean {
    return exchange.body === null && exchange.upgrade === null && isSafe(exchange)
  }

  /** Whether the budget allows one more. */
  spend(): boolean {
    const may = this.budget.spend()
    if (!may) this.exhausted.add(1)
    return may
  }

  /** A request has its reply, or its error, that went to two instances: whether the second one has replied first. */
  count(won: boolean): void {
    const counter = won ? this.won : this.lost
    counter.add(1)
  }

  /** One that made way for another takes at least as long as it has taken. */
  ended({ exchange, status, fault, took }: Outcome): void {
    const { percentile } = this
    if (percentile === null || (status === 0 && fault !== 'none') || !this.isFor(exchange)) return
    percentile.add(took, this.clock.now())
  }
}
