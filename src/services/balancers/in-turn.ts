import type { Instance } from '../instance.ts'
import type { BalancedRequest, Balancer } from './balancer.ts'
import type { Candidates } from './candidates.ts'

/**
 * Maximum number of instances of equal weight to compare, starting with the one whose turn it is. With that many, the least loaded of them
 * is about as good as the least loaded of all, and a thousand instances cost no more to compare.
 */
const COMPARED = 16

/**
 * Round-robin among the instances with the fewest requests relative to their weight, or among all instances if requests are not counted.
 * Unequal weights are interleaved smoothly: 5, 1, 1 gives a a b a c a a.
 */
export class InTurn<I extends Instance> implements Balancer<I> {
  private readonly candidates: Candidates<I>
  private readonly counts: boolean
  private list: readonly I[] = []
  private equal = true
  /** Current position in `list`, when all weights are equal. */
  private turn = 0
  /** Accumulated credit of each instance in `list`, when weights differ. */
  private credits: number[] = []

  /** Takes over the position of the previous balancer. */
  constructor(candidates: Candidates<I>, counts: boolean, previous: Balancer<I> | null) {
    this.candidates = candidates
    this.counts = counts
    if (isInTurn(previous)) this.takeOver(previous)
  }

  /** Continues with the same next instance; with unequal weights, credits are kept if the weights are unchanged. */
  private takeOver({ list, turn, credits }: InTurn<I>): void {
    this.adopt(this.candidates.current())
    const places = new Map(this.list.map(({ address }, place) => [address, place]))
    const found = list.map(({ address }) => places.get(address) ?? -1)
    this.turn = [...found.slice(turn), ...found.slice(0, turn)].find((place) => place !== -1) ?? 0
    const same = found.every((place, at) => place !== -1 && this.list[place]?.weight === list[at]?.weight)
    if (this.equal || !same || list.length !== this.list.length) return
    for (const [at, place] of found.entries()) this.credits[place] = credits[at] ?? 0
  }

  pick(_request: BalancedRequest, tried: readonly I[] | null): I | null {
    const list = this.candidates.current()
    if (list !== this.list) this.adopt(list)
    return this.equal ? this.next(tried) : this.richest(tried)
  }

  private adopt(list: readonly I[]): void {
    this.list = list
    this.equal = list.every((instance) => instance.weight === list[0]?.weight)
    this.turn = list.length === 0 ? 0 : this.turn % list.length
    this.credits = this.equal ? [] : list.map(() => 0)
  }

  /** The next instance in turn among those with the fewest requests. */
  private next(tried: readonly I[] | null): I | null {
    const { list, counts } = this
    let best: I | null = null
    let least = Infinity
    let compared = 0
    let at = this.turn
    for (let i = 0; i < list.length && compared < COMPARED && least > 0; i++) {
      const instance = list[at]
      at = at + 1 === list.length ? 0 : at + 1
      if (instance === undefined || (tried !== null && tried.includes(instance))) continue
      compared++
      const load = counts ? instance.inFlight : 0
      if (load >= least) continue
      best = instance
      least = load
      this.turn = at
    }
    return best
  }

  /**
   * Smooth weighted round-robin among the instances with the fewest requests relative to their weight: each earns its weight per turn; the
   * one with the most credit is picked and pays the total that was earned.
   */
  private richest(tried: readonly I[] | null): I | null {
    const { list, credits } = this
    const least = this.counts ? this.leastLoad(tried) : 0
    let best: I | null = null
    let left: I | null = null
    let place = 0
    let most = 0
    let total = 0
    for (let i = 0; i < list.length; i++) {
      const instance = list[i]
      if (instance === undefined || (tried !== null && tried.includes(instance))) continue
      left = instance
      if (this.counts && instance.inFlight / instance.weight > least) continue
      const credit = (credits[i] ?? 0) + instance.weight
      total += instance.weight
      credits[i] = credit
      if (best !== null && credit <= most) continue
      best = instance
      place = i
      most = credit
    }
    // Other workers may have picked all of them in the meantime.
    if (best === null) return left
    credits[place] = most - total
    return best
  }

  private leastLoad(tried: readonly I[] | null): number {
    let least = Infinity
    for (const instance of this.list) {
      if (tried !== null && tried.includes(instance)) continue
      const load = instance.inFlight / instance.weight
      if (load < least) least = load
    }
    return least
  }
}

function isInTurn<I extends Instance>(balancer: Balancer<I> | null): balancer is InTurn<I> {
  return balancer instanceof InTurn
}
