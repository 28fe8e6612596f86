import type { Instance } from '../instance.ts'
import type { BalancedRequest, Balancer } from './balancer.ts'
import type { Candidates } from './candidates.ts'

/**
 * How many instances of the same weight are compared at most, beginning with the one in turn: with that many the one with the
 * fewest requests is as good as the one with the fewest of all, and a thousand instances cost no more than these.
 */
const COMPARED = 16

/**
 * Those with the fewest requests for their weight take turns; all of them do where requests are not counted. Unequal weights are
 * spread smoothly: 5, 1, 1 gives a a b a c a a.
 */
export class InTurn<I extends Instance> implements Balancer<I> {
  private readonly candidates: Candidates<I>
  private readonly counts: boolean
  private list: readonly I[] = []
  private equal = true
  /** Where the turn is in `list`, when all weights are equal. */
  private turn = 0
  /** What each of `list` has saved up, when weights differ. */
  private credits: number[] = []

  /** One before it hands its turn on. */
  constructor(candidates: Candidates<I>, counts: boolean, previous: Balancer<I> | null) {
    this.candidates = candidates
    this.counts = counts
    if (isInTurn(previous)) this.takeOver(previous)
  }

  /** The next one in turn is the same as it was; weights that differ go on from what was saved up if they are the same. */
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

  /** The first in turn of those with the fewest requests. */
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
   * Smooth weighted round-robin among those with the fewest requests for their weight: each earns its weight a turn, the richest
   * is picked and pays for all who earned.
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
    // Other workers may have picked all of them meanwhile.
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
