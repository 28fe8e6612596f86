import { balancerName } from '../../services/balancers/index.ts'
import type { ServiceOptions } from '../../services/service-options.ts'
import type { CurrentService } from '../../services/current-service.ts'
import type { HealthBoard } from '../../services/health/board.ts'
import { ejectionWords } from '../../services/passive/words.ts'
import type { PooledInstance } from '../../services/pooled-instance.ts'
import type { ShownService } from './explanation.ts'

/** Describes a service with the current state of its instances; `next` is the address of the instance that would be picked. */
export function showService(
  { current }: CurrentService,
  options: Pick<ServiceOptions, 'balancer'>,
  board: HealthBoard,
  next: string | null,
): ShownService {
  const { name, limit, instances } = current
  return {
    name,
    balancer: balancerName(options.balancer),
    limit: limit === null ? null : Math.floor(limit.value),
    instances: instances.map((instance) => {
      const { address, weight, inFlight, slot } = instance
      return {
        address,
        weight,
        inFlight,
        state: board.state(slot),
        unusable: whyUnusable(instance, board),
        slowStart: current.startsSlowly(instance),
        next: address === next,
      }
    }),
  }
}

function whyUnusable({ slot, weight }: PooledInstance, board: HealthBoard): string | null {
  if (weight === 0) return 'weight 0'
  if (board.drained(slot)) return 'drained by an operator'
  const state = board.state(slot)
  if (state === 'unhealthy') return 'unhealthy: its health checks fail'
  if (state === 'pending') return 'not checked yet'
  const ejection = board.ejections.of(slot)
  return ejection === null ? null : `ejected: ${ejectionWords(ejection)}`
}
