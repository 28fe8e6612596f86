import type { BalancerKind } from './balancer.ts'
import { InTurn } from './in-turn.ts'

/** Picks instances in turn; unequal weights are interleaved smoothly. */
export const roundRobin: BalancerKind = {
  summary: 'One instance after the other, in proportion to their weights and without bursts.',
  create: (candidates, _, previous) => new InTurn(candidates, false, previous),
}
