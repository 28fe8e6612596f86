import type { Instance } from '../instance.ts'
import type { Balancer, BalancerKind } from './balancer.ts'
import type { Candidates } from './candidates.ts'

/** One after the other; unequal weights are spread smoothly: 5, 1, 1 gives a a b a c a a. */
export const roundRobin: BalancerKind = {
  summary: 'One instance after the other, in proportion to their weights and without bursts.',
  create: (candidates, _, previous) => new RoundRobin(candidates, previous instanceof RoundRobin ? previous : null),
}

class RoundRobin<I extends Instance> implements Balancer<I> {
  private readonly candidates: Candidates<I>
  private list: readonly I[] = []
  private equal = true
  /** Where the turn is in `list`, when all weights are equal. */
  private turn = 0
  /** What each of `list` has saved up, when weights differ. */
  private credits: number[] = []

  constructor(candidates: Candidates<I>, previous: RoundRobin<I> | null) {
    this.candidates = candidates
    if (previous !== null) this.takeOver(previous)
  }

  /** The next one in turn is the same as it was; weights that differ go on from what was saved up if they are the same. */
  private takeOver({ list, turn, credits }: RoundRobin<I>): void {
    this.adopt(this.candidates.current())
    const places = new Map(this.list.map(({ address }, place) => [address, place]))
    const found = list.map(({ address }) => places.get(address))
    this.turn = [...found.slice(turn), ...found.slice(0, turn)].find((place) => place !== undefined) ?? 0
    const same = found.every((place, at) => place !== undefined && this.list[place]!.weight === list[at]!.weight)
    if (this.equal || !same || list.length !== this.list.length) return
    for (const [at, place] of found.entries()) this.credits[place!] = credits[at]!
  }

  pick(tried: readonly I[] | null): I | null {
    const list = this.candidates.current()
    if (list !== this.list) this.adopt(list)
    return this.equal ? this.next(tried) : this.richest(tried)
  }

  private adopt(list: readonly I[]): void {
    this.list = list
    this.equal = list.every((instance) => instance.weight === list[0]!.weight)
    this.turn = list.length === 0 ? 0 : this.turn % list.length
    this.credits = this.equal ? [] : list.map(() => 0)
  }

  private next(tried: readonly I[] | null): I | null {
    const list = this.list
    for (let i = 0; i < list.length; i++) {
      const instance = list[this.turn]!
      this.turn = this.turn + 1 === list.length ? 0 : this.turn + 1
      if (tried === null || !tried.includes(instance)) return instance
    }
    return null
  }

  /** Smooth weighted round-robin: each earns its weight a turn, the richest is picked and pays for all who earned. */
  private richest(tried: readonly I[] | null): I | null {
    const { list, credits } = this
    let best = -1
    let total = 0
    for (let i = 0; i < list.length; i++) {
      const instance = list[i]!
      if (tried !== null && tried.includes(instance)) continue
      total += instance.weight
      credits[i]! += instance.weight
      if (best === -1 || credits[i]! > credits[best]!) best = i
    }
    if (best === -1) return null
    credits[best]! -= total
    return list[best]!
  }
}
