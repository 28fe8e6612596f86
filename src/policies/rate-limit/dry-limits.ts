import type { LimitWatch } from './limit-watch.ts'
import type { LimitStoreName, RateLimits } from './limit-stores.ts'
import type { Decision, Limit, Meter, QuotaState, StoreFailureMode, SyncMeter } from './meter.ts'

/** For dry runs: says what the limits would decide, but counts nothing. */
export class DryLimits implements RateLimits {
  private readonly limits: RateLimits

  constructor(limits: RateLimits) {
    this.limits = limits
  }

  meter(limit: Limit, onStoreFailure: StoreFailureMode, store?: LimitStoreName): Meter {
    const meter = this.limits.meter(limit, onStoreFailure, store)
    return {
      decide(client, cost) {
        const now = meter.decide(client, 0)
        return now instanceof Promise ? now.then((known) => decided(known, cost)) : decided(now, cost)
      },
      forget: () => false,
    }
  }

  localMeter(limit: Limit): SyncMeter {
    const meter = this.limits.localMeter(limit)
    return { decide: (client, cost) => foreseen(meter.decide(client, 0), cost), forget: () => false }
  }

  /** A watch without quotas, which no client can come near. */
  watch(limit: Limit): LimitWatch {
    return this.limits.watch({ ...limit, quotas: [] })
  }
}

function decided(now: Decision | null, cost: number): Decision | null {
  return now === null ? null : foreseen(now, cost)
}

/** What would happen to a request of that cost in the client's current state. */
function foreseen({ quotas }: Decision, cost: number): Decision {
  const needed = Math.max(cost, 1)
  if (quotas.every(({ remaining }) => remaining >= needed))
    return { admitted: true, quotas: quotas.map((state) => ({ ...state, remaining: state.remaining - cost, wait: 0 })) }
  return { admitted: false, quotas: quotas.map((state) => refused(state, needed)) }
}

/** A request whose cost exceeds what remains has to wait at least for the next units. */
function refused(state: QuotaState, needed: number): QuotaState {
  return state.remaining >= needed ? { ...state, wait: 0 } : { ...state, wait: Math.max(state.wait, state.reset) }
}
