import { z } from 'zod'
import type { BalancerKind } from './balancer.ts'
import { hash, hashOptions } from './hash.ts'
import { latency } from './latency.ts'
import { leastRequests } from './least-requests.ts'
import { roundRobin } from './round-robin.ts'

/** Every balancer by its name in the configuration, with the options that it has where nothing is said. The one place where they are listed. */
export const balancers = {
  'least-requests': leastRequests,
  'round-robin': roundRobin,
  latency,
  hash: hash(hashOptions.parse({})),
} as const satisfies Record<string, BalancerKind>

/** Schema of what `balancer:` of a service may say: a name, or a map of a name and its options. */
export const balancerSchema = z.union([
  z.enum(namesOf(balancers)),
  z.strictObject({ hash: hashOptions.describe('hash, with its options.') }),
])

export type BalancerOptions = z.output<typeof balancerSchema>

type BalancerName = keyof typeof balancers

/** The one that a service asks for. */
export function balancerFor(options: BalancerOptions): BalancerKind {
  return typeof options === 'string' ? balancers[options] : hash(options.hash)
}

/** Its name. */
export function balancerName(options: BalancerOptions): BalancerName {
  return typeof options === 'string' ? options : 'hash'
}

/** The names of the list. */
function namesOf(list: Readonly<Record<BalancerName, unknown>>): BalancerName[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the type of Object.keys forgets which keys there are
  return Object.keys(list) as BalancerName[]
}
