import type { BalancerKind } from './balancer.ts'
import { leastRequests } from './least-requests.ts'
import { roundRobin } from './round-robin.ts'

/** Every balancer by its name in the configuration. The one place where they are listed. */
export const balancers = {
  'round-robin': roundRobin,
  'least-requests': leastRequests,
} as const satisfies Record<string, BalancerKind>

/** What `balancer:` of a service may say. */
export type BalancerName = keyof typeof balancers
