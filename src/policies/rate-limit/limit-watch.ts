import type { Clock } from '../../core/clock.ts'
import type { Exchange } from '../../http/exchange.ts'
import { clientNetwork } from '../../core/client-network.ts'
import type { ClientIdentity } from './client-name.ts'
import type { Decision, Quota } from './meter.ts'
import { NEAR, type NearLimits } from './near-limits.ts'

/** Notices clients that come near one limit. For all other clients this costs one comparison per quota. */
export class LimitWatch {
  private readonly near: NearLimits
  private readonly clock: Clock
  private readonly limit: string
  /** The remaining units of each quota at which a client counts as near. */
  private readonly floors: readonly number[]

  /** `limit` is the key of the known limit. */
  constructor(near: NearLimits, clock: Clock, limit: string, quotas: readonly Quota[]) {
    this.near = near
    this.clock = clock
    this.limit = limit
    this.floors = quotas.map((quota) => quota.limit - Math.ceil((quota.limit * NEAR) / 100))
  }

  /** Called after a request of the client with that name has been decided. */
  decided(exchange: Exchange, name: string, { quotas, admitted }: Decision, byAddress = false): void {
    const { floors } = this
    for (let i = 0; i < floors.length; i++) {
      const left = quotas[i]?.remaining ?? Infinity
      if (left > (floors[i] ?? 0)) continue
      const identify = (): ClientIdentity => clientOf(exchange, byAddress)
      return this.near.note(this.limit, name, admitted, this.clock.wall(), identify)
    }
  }
}

/** The client in the form used by operators. */
function clientOf({ consumer, client }: Exchange, byAddress: boolean): ClientIdentity {
  if (consumer === null || byAddress) return { kind: 'address', id: clientNetwork(client.address) }
  return consumer.key === null ? { kind: 'user', id: consumer.id } : { kind: 'key', id: consumer.key }
}
