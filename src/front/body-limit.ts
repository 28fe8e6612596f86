import { activePolicies, type PoliciesConfig } from '../config/policy-schema.ts'
import type { GatewayConfig } from '../config/schema.ts'
import type { Middleware } from '../http/handler.ts'
import { limitBody } from '../http/limited-body.ts'
import type { BodyLimit, Policy } from '../policies/policy.ts'

/** Maximum body size of a request at the listener level, in bytes: the largest that any route allows. */
export function largestBody({ limits, routes }: GatewayConfig, chain: readonly Policy[]): number {
  let largest = limits.body
  for (const streaming of [false, true])
    for (const policies of new Set(
      routes.filter((route) => route.streaming === streaming).map((route) => route.policies),
    ))
      largest = Math.max(largest, limitOf(limitsOf(policies, chain), limitFor({ limits }, streaming)))
  return largest
}

/** Default maximum body size, in bytes; streaming bodies have no known size and no default limit. */
export function limitFor({ limits }: Pick<GatewayConfig, 'limits'>, streaming: boolean): number {
  return streaming ? Number.POSITIVE_INFINITY : limits.body
}

/** Enforces the route's limit if the listeners allow more (`largest`), unless a policy of the route does so itself. */
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

/** Limits that are not enforced do not lower the result. */
function limitOf(limits: readonly BodyLimit[], general: number): number {
  const enforced = limits.flatMap((limit) => (limit.enforced ? limit.bytes : []))
  const reported = limits.flatMap((limit) => (limit.enforced ? [] : limit.bytes))
  return Math.max(enforced.length === 0 ? general : Math.min(...enforced), ...reported)
}
