import type { Clock } from '../../core/clock.ts'
import type { BalancedRequest, Balancer, BalancerTools } from '../balancers/balancer.ts'
import type { Candidates } from '../balancers/candidates.ts'
import type { Instance } from '../instance.ts'

/** Initial fraction of an instance's share. */
const MIN = 0.1

/** The service in the previous configuration. */
export interface Before<I extends Instance> {
  /** The instances that received its requests; null if there was no such service. */
  readonly list: readonly Instance[] | null
  readonly slowStart: SlowStart<I> | null
}

/**
 * Slow start: an instance that has just joined the service or returned to it gets only a fraction of what its balancer assigns to it,
 * rising to its full share, and no more than that fraction of the average in-flight requests: its caches are cold and its code is not yet
 * compiled. Declined requests go to the balancer's next choice, or to the instance after all if there is none.
 */
export class SlowStart<I extends Instance> implements Balancer<I> {
  private readonly inner: Balancer<I>
  private readonly candidates: Candidates<I>
  private readonly time: number
  private readonly clock: Clock
  private readonly random: () => number
  private list: readonly I[]
  /** Address -> since when the instance has been starting up, for those without their full share yet. */
  private readonly since = new Map<string, number>()

  /** Takes that many milliseconds. If there was no service of that name before, none of its instances counts as new. */
  constructor(
    inner: Balancer<I>,
    candidates: Candidates<I>,
    { clock, random }: BalancerTools,
    time: number,
    { list, slowStart: previous }: Before<I>,
  ) {
    this.inner = inner
    this.candidates = candidates
    this.time = time
    this.clock = clock
    this.random = random
    this.list = candidates.current()
    if (list !== null) this.enter(this.list, list)
    const here = addressesOf(this.list)
    // Slow starts from the previous configuration continue.
    if (previous !== null)
      for (const [address, since] of previous.since) if (here.has(address)) this.since.set(address, since)
  }

  pick(request: BalancedRequest, tried: readonly I[] | null): I | null {
    const list = this.candidates.current()
    if (list !== this.list) this.adopt(list)
    if (this.since.size === 0) return this.inner.pick(request, tried)
    return this.pickReady(request, tried ?? [])
  }

  /** Whether the instance does not have its full share yet. */
  holdsBack({ address }: Instance): boolean {
    const since = this.since.get(address)
    return since !== undefined && this.clock.now() - since < this.time
  }

  private pickReady(request: BalancedRequest, tried: readonly I[]): I | null {
    const passed = [...tried]
    let first: I | null = null
    for (;;) {
      const picked = this.inner.pick(request, passed)
      if (picked === null || this.isReady(picked)) return picked ?? first
      first ??= picked
      passed.push(picked)
    }
  }

  private isReady({ address, inFlight }: I): boolean {
    const since = this.since.get(address)
    if (since === undefined) return true
    const part = (this.clock.now() - since) / this.time
    if (part >= 1) this.since.delete(address)
    if (part >= 1) return true
    const share = Math.max(MIN, part)
    // An instance that is slow at first has more requests in flight even with a smaller share.
    if (inFlight > 0 && inFlight >= share * this.average()) return false
    return this.random() < share
  }

  /** Average number of in-flight requests per instance. */
  private average(): number {
    return this.list.reduce((sum, { inFlight }) => sum + inFlight, 0) / this.list.length
  }

  private adopt(list: readonly I[]): void {
    const before = this.list
    this.list = list
    const here = addressesOf(list)
    for (const { address } of before) if (!here.has(address)) this.since.delete(address)
    this.enter(list, before)
  }

  private enter(list: readonly I[], before: readonly Instance[]): void {
    const now = this.clock.now()
    const known = addressesOf(before)
    for (const { address } of list) if (!known.has(address)) this.since.set(address, now)
  }
}

function addressesOf(list: readonly Instance[]): ReadonlySet<string> {
  return new Set(list.map(({ address }) => address))
}
