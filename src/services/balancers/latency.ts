import type { Clock } from '../../core/clock.ts'
import type { Instance } from '../instance.ts'
import { isUnavailable, type Outcome } from '../outcome.ts'
import type { BalancedRequest, Balancer, BalancerKind, BalancerTools } from './balancer.ts'
import type { Candidates } from './candidates.ts'

/** Time in milliseconds in which an estimate decays to 1/e (about a third) without new measurements. */
const DECAY = 10_000
/**
 * Minimum value of a failed request, in milliseconds: a fast failure does not make an instance fast. An instance that has not replied yet
 * is assumed to be slow from then on.
 */
const FAILURE = 1_000

/**
 * Peak EWMA: the expected delay of one more request to an instance is its recent response time multiplied by its in-flight requests. A
 * slower reply takes effect immediately, a faster one gradually.
 */
export const latency: BalancerKind = {
  summary:
    'Of two instances chosen at random by weight, the one that is likely to reply sooner, judging by its recent latency and requests in flight.',
  create: (candidates, tools, previous) => new Latency(candidates, tools, previous),
}

class Latency<I extends Instance> implements Balancer<I> {
  private readonly candidates: Candidates<I>
  private readonly clock: Clock
  private readonly random: () => number
  /** By address, so that the estimates survive configuration changes. */
  private readonly estimates: ReadonlyMap<string, Estimate>

  constructor(candidates: Candidates<I>, { clock, random }: BalancerTools, previous: Balancer<I> | null) {
    this.candidates = candidates
    this.clock = clock
    this.random = random
    const known = isLatency(previous) ? previous.estimates : null
    this.estimates = new Map(candidates.all.map(({ address }) => [address, known?.get(address) ?? new Estimate()]))
  }

  pick(_request: BalancedRequest, tried: readonly I[] | null): I | null {
    const list = this.candidates.current()
    const first = this.draw(list, tried, null)
    const second = this.draw(list, tried, first)
    if (first === null || second === null) return first
    return this.isBetter(second, first) ? second : first
  }

  ended({ instance, status, reason, fault, took, streamed }: Outcome<I>): void {
    if (fault === 'connection') return
    const estimate = this.estimates.get(instance.address)
    if (estimate === undefined) return
    const now = this.clock.now()
    if (status === 0 && reason === null) {
      // It takes at least this long: otherwise a hanging instance would seem fast to clients that disconnect early.
      if (!streamed && took > (estimate.at(now) ?? FAILURE)) estimate.observe(took, now)
      return
    }
    const failed = reason !== null || isUnavailable(status)
    // If the body was still arriving, its sender may account for most of the time.
    const known = streamed ? 0 : took
    if (failed) estimate.observe(Math.max(known, FAILURE), now)
    else if (!streamed) estimate.observe(known, now)
  }

  /** A random instance by weight, neither in `tried` nor equal to `other`; null if there is none. */
  private draw(list: readonly I[], tried: readonly I[] | null, other: I | null): I | null {
    let total = 0
    for (const instance of list) if (isEligible(instance, tried, other)) total += instance.weight
    let left = this.random() * total
    let drawn: I | null = null
    for (const instance of list) {
      if (!isEligible(instance, tried, other)) continue
      drawn = instance
      left -= instance.weight
      if (left < 0) break
    }
    return drawn
  }

  private isBetter(one: I, other: I): boolean {
    const now = this.clock.now()
    const took = this.estimates.get(one.address)?.at(now) ?? null
    const otherTook = this.estimates.get(other.address)?.at(now) ?? null
    // An instance without a measurement gets no more requests than others until its speed is known.
    if (took === null || otherTook === null) return one.inFlight / one.weight < other.inFlight / other.weight
    return (took * (one.inFlight + 1)) / one.weight < (otherTook * (other.inFlight + 1)) / other.weight
  }
}

function isLatency<I extends Instance>(balancer: Balancer<I> | null): balancer is Latency<I> {
  return balancer instanceof Latency
}

function isEligible<I>(instance: I, tried: readonly I[] | null, other: I | null): boolean {
  return instance !== other && (tried === null || !tried.includes(instance))
}

/** Response time estimate of one instance, in milliseconds. */
class Estimate {
  private value = 0
  /** Time of the last update; null before the first one. */
  private since: number | null = null

  /** The estimate at that time; null if there is none. */
  at(now: number): number | null {
    return this.since === null ? null : this.value * Math.exp((this.since - now) / DECAY) + MIN
  }

  observe(took: number, now: number): void {
    const left = this.since === null ? 0 : Math.exp((this.since - now) / DECAY)
    const before = this.value * left
    this.value = took > before ? took : before + took * (1 - left)
    this.since = now
  }
}

/** Added to every estimate, in milliseconds, so that among instances that take no measurable time, the one with fewer requests wins. */
const MIN = 0.01
