import { z } from 'zod'
import type { BalancerKind } from './balancer.ts'
import { hash, hashOptions } from './hash.ts'
import { latency } from './latency.ts'
import { leastRequests } from './least-requests.ts'
import { roundRobin } from './round-robin.ts'

/** Every balancer by its configuration name, with its default options. This is the only place where they are listed. */
export const balancers = {
  'least-requests': leastRequests,
  'round-robin': roundRobin,
  latency,
  hash: hash(hashOptions.parse({})),
} as const satisfies Record<string, BalancerKind>

/** Schema of a service's `balancer` option: a name, or a map from a name to its options. */
export const balancerSchema = z.union([
  z.enum(namesOf(balancers)),
  z.strictObject({ hash: hashOptions.describe('hash, with its options.') }),
])

export type BalancerOptions = z.output<typeof balancerSchema>

type BalancerName = keyof typeof balancers

/** The balancer configured for a service. */
export function balancerFor(options: BalancerOptions): BalancerKind {
  return typeof options === 'string' ? balancers[options] : hash(options.hash)
}

/** The name of the configured balancer. */
export function balancerName(options: BalancerOptions): BalancerName {
  return typeof options === 'string' ? options : 'hash'
}

/** The keys of the list, typed. */
function namesOf(list: Readonly<Record<BalancerName, unknown>>): BalancerName[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the type of Object.keys forgets which keys there are
  return Object.keys(list) as BalancerName[]
}
