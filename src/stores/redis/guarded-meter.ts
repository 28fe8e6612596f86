import { GatewayError } from '../../core/errors.ts'
import type { Decision, Meter, StoreFailureMode, SyncMeter } from '../../core/limits.ts'
import type { Outage } from './outage.ts'

/** A meter in Redis, and what is done while Redis does not answer. */
export class GuardedMeter implements Meter {
  private readonly remote: Meter
  private readonly local: SyncMeter
  private readonly outage: Outage
  private readonly mode: StoreFailureMode

  constructor(remote: Meter, local: SyncMeter, outage: Outage, mode: StoreFailureMode) {
    this.remote = remote
    this.local = local
    this.outage = outage
    this.mode = mode
  }

  decide(client: string, cost: number): Decision | null | Promise<Decision | null> {
    return this.outage.down ? this.without(client, cost) : this.ask(client, cost)
  }

  private async ask(client: string, cost: number): Promise<Decision | null> {
    const decision = await this.outage.ask(
      async () => this.remote.decide(client, cost),
      async () => this.remote.decide(client, 0),
      'decide',
    )
    return decision ?? this.without(client, cost)
  }

  private without(client: string, cost: number): Decision | null {
    this.outage.missed()
    if (this.mode === 'local') return this.local.decide(client, cost)
    if (this.mode === 'open') return null
    throw new GatewayError('limits-unavailable', 'The limits cannot be checked at the moment. Try again later.', {
      headers: [['Retry-After', '1']],
    })
  }
}
