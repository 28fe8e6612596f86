import type { Instance } from '../instance.ts'
import type { Balancer, BalancerKind } from './balancer.ts'
import type { Candidates } from './candidates.ts'

/**
 * The power of two choices: draws two instances at random and takes the one with fewer requests in flight.
 * Workers that do not see one another's counts so never rush to the same instance all at once.
 */
export const leastRequests: BalancerKind = {
  summary: 'Of two instances drawn by weight, the one with fewer requests in flight for its weight.',
  create: (candidates, { random }) => new LeastRequests(candidates, random),
}

class LeastRequests<I extends Instance> implements Balancer<I> {
  private readonly candidates: Candidates<I>
  private readonly random: () => number

  constructor(candidates: Candidates<I>, random: () => number) {
    this.candidates = candidates
    this.random = random
  }

  pick(tried: readonly I[] | null): I | null {
    const list = this.candidates.current()
    const first = this.draw(list, tried, null)
    const second = this.draw(list, tried, first)
    if (first === null || second === null) return first
    return second.inFlight / second.weight < first.inFlight / first.weight ? second : first
  }

  /** One of the list by weight, neither tried nor `other`; null where there is none. */
  private draw(list: readonly I[], tried: readonly I[] | null, other: I | null): I | null {
    let total = 0
    for (const instance of list) if (eligible(instance, tried, other)) total += instance.weight
    let left = this.random() * total
    let drawn: I | null = null
    for (const instance of list) {
      if (!eligible(instance, tried, other)) continue
      drawn = instance
      left -= instance.weight
      if (left < 0) break
    }
    return drawn
  }
}

function eligible<I>(instance: I, tried: readonly I[] | null, other: I | null): boolean {
  return instance !== other && (tried === null || !tried.includes(instance))
}
