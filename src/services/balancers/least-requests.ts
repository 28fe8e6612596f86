import type { BalancerKind } from './balancer.ts'
import { InTurn } from './in-turn.ts'

/** Counts are shared by all workers, so a worker does not pile onto an instance that the others have just filled. */
export const leastRequests: BalancerKind = {
  summary: 'The instance with the fewest requests in flight for its weight, of all workers; equal ones take turns.',
  create: (candidates, _, previous) => new InTurn(candidates, true, previous),
}
