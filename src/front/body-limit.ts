import type { PoliciesConfig } from '../config/policy-schema.ts'
import type { GatewayConfig } from '../config/schema.ts'
import type { Middleware } from '../core/handler.ts'
import { limitBody } from '../core/limited-body.ts'

/** Octets that the body of a request may have as far as the listeners are concerned: as many as some route allows. */
export function largestBody({ limits, routes }: GatewayConfig): number {
  return Math.max(limits.body, ...routes.map(({ policies }) => ownLimit(policies) ?? 0))
}

/** Where the listeners let more through than `limits.body`, holds routes to it that have no limit of their own. */
export function generalLimit(config: GatewayConfig, policies: PoliciesConfig): readonly Middleware[] {
  const { body } = config.limits
  if (ownLimit(policies) !== undefined || largestBody(config) === body) return []
  return [
    (next) => (exchange) => {
      exchange.body = limitBody(exchange.body, body)
      return next(exchange)
    },
  ]
}

function ownLimit({ validation }: PoliciesConfig): number | undefined {
  return validation === undefined || validation === false ? undefined : validation.body.limit
}
