import type { Decision } from './meter.ts'
import type { Counter, Metrics } from '../../core/metrics.ts'

/** Counts the outcomes of the requests of one tier. */
export class LimitCounts {
  private readonly admitted: Counter
  private readonly refused: Counter
  private readonly uncounted: Counter
  private readonly tokens: Counter
  private readonly cost: number

  /** `cost` is what each admitted request uses up. */
  constructor(metrics: Metrics, tier: string, cost: number) {
    const outcome = (name: string): Counter =>
      metrics.counter('sallyport_rate_limit_decisions_total', { tier, outcome: name })
    this.admitted = outcome('admitted')
    this.refused = outcome('refused')
    this.uncounted = outcome('uncounted')
    this.tokens = metrics.counter('sallyport_rate_limit_tokens_total', { tier })
    this.cost = cost
  }

  decided(decision: Decision | null): void {
    if (decision === null) return this.uncounted.add(1)
    if (!decision.admitted) return this.refused.add(1)
    this.admitted.add(1)
    this.tokens.add(this.cost)
  }
}
