import { activePolicies, type PoliciesConfig } from '../config/policy-schema.ts'
import type { GatewayConfig } from '../config/schema.ts'
import type { Middleware } from '../http/handler.ts'
import { limitBody } from '../http/limited-body.ts'
import type { BodyLimit, Policy } from '../policies/policy.ts'

/** Octets that the body of a request may have as far as the listeners are concerned: as many as some route allows. */
export function largestBody({ limits, routes }: GatewayConfig, chain: readonly Policy[]): number {
  let largest = limits.body
  for (const streaming of [false, true])
    for (const policies of new Set(
      routes.filter((route) => route.streaming === streaming).map((route) => route.policies),
    ))
      largest = Math.max(largest, limitOf(limitsOf(policies, chain), limitFor({ limits }, streaming)))
  return largest
}

/** Octets that a body may have where no policy says it: of those that are streams nobody knows. */
export function limitFor({ limits }: Pick<GatewayConfig, 'limits'>, streaming: boolean): number {
  return streaming ? Number.POSITIVE_INFINITY : limits.body
}

/**
 * Where the listeners let more through than a route allows, `largest`, holds it to that; but for what a policy of the
 * route refuses itself.
 */
export function generalLimit(
  general: number,
  largest: number,
  policies: PoliciesConfig,
  chain: readonly Policy[],
): readonly Middleware[] {
  const limits = limitsOf(policies, chain)
  const limit = limitOf(limits, general)
  if (limits.some(({ enforced }) => enforced) || largest === limit) return []
  return [
    (next) => (exchange) => {
      exchange.body = limitBody(exchange.body, limit)
      return next(exchange)
    },
  ]
}

function limitsOf(policies: PoliciesConfig, chain: readonly Policy[]): BodyLimit[] {
  return activePolicies(policies, chain).flatMap(([policy, options]) => policy.bodyLimit?.(options) ?? [])
}

/** What is not enforced makes no limit smaller. */
function limitOf(limits: readonly BodyLimit[], general: number): number {
  const enforced = limits.flatMap((limit) => (limit.enforced ? limit.octets : []))
  const reported = limits.flatMap((limit) => (limit.enforced ? [] : limit.octets))
  return Math.max(enforced.length === 0 ? general : Math.min(...enforced), ...reported)
}
