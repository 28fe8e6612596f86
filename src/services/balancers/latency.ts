import type { Clock } from '../../core/clock.ts'
import type { Instance } from '../instance.ts'
import { isUnavailable, type Outcome } from '../outcome.ts'
import type { BalancedRequest, Balancer, BalancerKind, BalancerTools } from './balancer.ts'
import type { Candidates } from './candidates.ts'

/** In so many milliseconds an estimate that nothing confirms falls to a third (1/e). */
const DECAY = 10_000
/** What a failure counts for at least, in milliseconds: who refuses quickly is not quick. Who has not replied yet is slow from there on. */
const FAILURE = 1_000

/**
 * Peak EWMA: how long an instance is likely to keep one more request waiting is its recent time to reply, times what it has in
 * flight. A slower reply counts at once, a quicker one bit by bit.
 */
export const latency: BalancerKind = {
  summary:
    'Of two instances drawn by weight, the one that is likely to reply sooner, by how long it took lately and what it has in flight.',
  create: (candidates, tools, previous) => new Latency(candidates, tools, previous),
}

class Latency<I extends Instance> implements Balancer<I> {
  private readonly candidates: Candidates<I>
  private readonly clock: Clock
  private readonly random: () => number
  /** By address: what is known of an instance stays when the configuration changes. */
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
      // It takes at least that long: one that hangs would seem quick to clients who do not wait for it.
      if (!streamed && took > (estimate.at(now) ?? FAILURE)) estimate.observe(took, now)
      return
    }
    const failed = reason !== null || isUnavailable(status)
    // Of a body that was still coming its sender may have taken most of the time.
    const known = streamed ? 0 : took
    if (failed) estimate.observe(Math.max(known, FAILURE), now)
    else if (!streamed) estimate.observe(known, now)
  }

  /** One of the list by weight, neither tried nor `other`; null where there is none. */
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
    // One that has not replied yet gets no more than others have, until it is known how quick it is.
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

/** How long one instance takes, in milliseconds. */
class Estimate {
  private value = 0
  /** When it was made; null while there is none. */
  private since: number | null = null

  /** What it is at that time; null where nothing is known. */
  at(now: number): number | null {
    return this.since === null ? null : this.value * Math.exp((this.since - now) / DECAY) + LEAST
  }

  observe(took: number, now: number): void {
    const left = this.since === null ? 0 : Math.exp((this.since - now) / DECAY)
    const before = this.value * left
    this.value = took > before ? took : before + took * (1 - left)
    this.since = now
  }
}

/** Added to every estimate, in milliseconds: of instances that take no time at all, the one with fewer requests is better. */
const LEAST = 0.01
