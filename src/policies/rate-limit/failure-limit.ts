import type { Exchange } from '../../core/exchange.ts'
import type { Limits, Quota, SyncMeter } from '../../core/limits.ts'
import { addressName } from './client-name.ts'
import { Limiter } from './limiter.ts'

const LIMIT_NAME = 'failures'

/** Counts what went wrong by the address it came from, in the memory of the process, and says when it is too much. */
export class FailureLimit {
  private readonly meter: SyncMeter | null
  private readonly limiter: Limiter

  constructor(quotas: readonly Quota[], limits: Limits) {
    const limit = { name: LIMIT_NAME, algorithm: 'fixed-window', quotas } as const
    const meter = limits.localMeter(limit)
    this.meter = quotas.length === 0 ? null : meter
    this.limiter = new Limiter(limit, meter, { headers: false, legacyHeaders: false })
  }

  /** Throws GatewayError 'rate-limited' where the address has failed too often. */
  check({ client }: Exchange): void {
    this.decide(client.address, 0)
  }

  /** Counts a failure. Throws GatewayError 'rate-limited' where there have been too many already. */
  count({ client }: Exchange): void {
    this.decide(client.address, 1)
  }

  private decide(address: string, cost: number): void {
    const decision = this.meter?.decide(addressName(address), cost)
    if (decision?.admitted === false) throw this.limiter.refusal(decision)
  }
}
