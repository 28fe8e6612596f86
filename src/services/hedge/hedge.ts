import type { Clock } from '../../core/clock.ts'
import type { Counter, Metrics } from '../../core/metrics.ts'
import type { Exchange } from '../../http/exchange.ts'
import type { Outcome, OutcomeListener } from '../outcome.ts'
import type { RetryBudget } from '../retry/retry-budget.ts'
import { isSafe } from '../retry/retry.ts'
import { type HedgeOptions, partOf } from './index.ts'
import { Percentile } from './percentile.ts'

/** The dependencies of hedging. */
export interface HedgeTools {
  readonly clock: Clock
  readonly metrics: Pick<Metrics, 'counter'>
  readonly budget: RetryBudget
}

/** Hedging: when the first instance takes long, some requests to a service are sent to another one as well (The Tail at Scale, 2013). */
export class Hedge implements OutcomeListener {
  /** Limits the number of hedged requests. */
  readonly budget: RetryBudget
  private readonly clock: Clock
  private readonly won: Counter
  private readonly lost: Counter
  private readonly exhausted: Counter
  /** The fixed delay in milliseconds, if configured. */
  private readonly fixed: number
  /** Measured durations, if the delay is derived from a percentile. */
  private readonly percentile: Percentile | null

  /** Continues with the durations that `before`, the same service in its previous state, has measured. */
  constructor(
    service: string,
    { after }: HedgeOptions,
    { clock, metrics, budget }: HedgeTools,
    before: Hedge | null = null,
  ) {
    this.clock = clock
    this.budget = budget
    this.won = metrics.counter('sallyport_hedges_total', { service, outcome: 'won' })
    this.lost = metrics.counter('sallyport_hedges_total', { service, outcome: 'lost' })
    this.exhausted = metrics.counter('sallyport_hedge_budget_exhausted_total', { service })
    this.fixed = typeof after === 'number' ? after : Number.POSITIVE_INFINITY
    this.percentile = typeof after === 'number' ? null : percentileOf(partOf(after), before?.percentile ?? null)
  }

  /** How long to wait for the first instance, in milliseconds; Infinity while unknown. */
  get delay(): number {
    const { percentile } = this
    return percentile === null ? this.fixed : Math.ceil(percentile.at(this.clock.now()))
  }

  /** Whether a request may be hedged: it must be safe, without a body and without a protocol upgrade. */
  isFor(exchange: Exchange): boolean {
    return exchange.body === null && exchange.upgrade === null && isSafe(exchange)
  }

  /** Whether the budget allows one more hedged request. */
  spend(): boolean {
    const may = this.budget.spend()
    if (!may) this.exhausted.add(1)
    return may
  }

  /** Counts a hedged request that has ended; `won` says whether the second instance replied first. */
  count(won: boolean): void {
    const counter = won ? this.won : this.lost
    counter.add(1)
  }

  /** An attempt that lost to another one counts with the time it has taken so far, a lower bound. */
  ended({ exchange, status, fault, took }: Outcome): void {
    const { percentile } = this
    if (percentile === null || (status === 0 && fault !== 'none') || !this.isFor(exchange)) return
    percentile.add(took, this.clock.now())
  }
}

function percentileOf(part: number, before: Percentile | null): Percentile {
  return before?.part === part ? before : new Percentile(part)
}
