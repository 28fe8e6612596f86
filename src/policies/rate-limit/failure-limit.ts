import type { GatewayError } from '../../core/errors.ts'
import type { Exchange } from '../../http/exchange.ts'
import type { Decision, Quota, SyncMeter } from './meter.ts'
import type { RateLimits } from './limit-stores.ts'
import { clientNetwork } from '../../core/client-network.ts'
import type { PolicyState } from '../policy.ts'
import { countIdentities } from './count-states.ts'
import { Limiter } from './limiter.ts'
import type { LimitWatch } from './limit-watch.ts'

const ALGORITHM = 'fixed-window'

/** The state that a FailureLimit keeps; its name is also that of the option with its quotas. */
export function failureStates(name: string, quotas: readonly Quota[]): PolicyState {
  return {
    name,
    identities: countIdentities(name, ALGORITHM, quotas, 'memory'),
    options: [[name]],
    loss: `The counts of ${name} start again at 0: they are kept by window.`,
  }
}

/** A limit that counts. */
interface Counted {
  readonly meter: SyncMeter
  readonly limiter: Limiter
  readonly watch: LimitWatch
}

/** Counts failures by client address, in the memory of the process, and refuses clients with too many. */
export class FailureLimit {
  /** Null if nothing is counted. */
  private readonly limit: Counted | null

  /** `name` distinguishes it from other limits on the same address. */
  constructor(name: string, quotas: readonly Quota[], limits: RateLimits) {
    if (quotas.length === 0) {
      this.limit = null
      return
    }
    const limit = { name, algorithm: ALGORITHM, quotas } as const
    const meter = limits.localMeter(limit)
    const limiter = new Limiter(limit, meter, { headers: false, legacyHeaders: false })
    this.limit = { meter, limiter, watch: limits.watch(limit, 'memory') }
  }

  /** How often the address may still fail, at least once. Throws GatewayError 'rate-limited' if it has failed too often. */
  check(exchange: Exchange): number {
    if (this.limit === null) return Infinity
    const decision = this.decide(this.limit, exchange, 0)
    if (!decision.admitted) throw this.limit.limiter.refusal(decision)
    return Math.min(...decision.quotas.map(({ remaining }) => remaining))
  }

  /** Counts a failure. Returns the error for the client if there were already too many, otherwise null. */
  count(exchange: Exchange): GatewayError | null {
    if (this.limit === null) return null
    const decision = this.decide(this.limit, exchange, 1)
    return decision.admitted ? null : this.limit.limiter.refusal(decision)
  }

  private decide({ meter, watch }: Counted, exchange: Exchange, cost: number): Decision {
    const name = clientNetwork(exchange.client.address)
    const decision = meter.decide(name, cost)
    watch.decided(exchange, name, decision, true)
    return decision
  }
}
