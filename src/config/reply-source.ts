import type { Policy } from '../policies/policy.ts'
import { digestOf } from './revision.ts'
import { servicesOf } from './route-services.ts'
import type { GatewayConfig, RouteConfig } from './schema.ts'

/** A policy that is on, with its options. */
export type ActivePolicy = readonly [policy: Policy, options: unknown]

/**
 * Identifies everything that determines the replies a policy receives from further in, apart from the request: the route's target, the
 * policies on the way there, and everything that changes the forwarded request. Two configurations with the same text yield the same
 * replies. `active` are the policies of the route in chain order; `route` is null if no route matches.
 */
export function replySource(
  policy: Policy,
  active: readonly ActivePolicy[],
  route: RouteConfig | null,
  { services }: Pick<GatewayConfig, 'services'>,
): string {
  const at = active.findIndex(([each]) => each === policy)
  const shaping = active.filter(([{ changesRequests = false }], i) => i > at || (changesRequests && i < at))
  const { service, split, rewrite, reply, redirect, files } = route ?? {}
  const hosts = (route === null ? [] : servicesOf(route)).map((name) => services[name]?.host ?? null)
  const policies = shaping.map(([{ name, version = '' }, options]) => [name, version, options])
  return digestOf([service, split, hosts, rewrite, reply, redirect, files, policies])
}
