import type { PoliciesConfig } from '../config/policy-schema.ts'
import type { GatewayConfig } from '../config/schema.ts'
import type { Middleware } from '../http/handler.ts'
import { limitBody } from '../http/limited-body.ts'

/** Octets that the body of a request may have as far as the listeners are concerned: as many as some route allows. */
export function largestBody({ limits, routes }: GatewayConfig): number {
  return Math.max(limits.body, ...routes.map(({ policies }) => limitOf(policies, limits.body)))
}

/** Where the listeners let more through than a route allows, holds it to that; but for what its validation refuses. */
export function generalLimit(config: GatewayConfig, policies: PoliciesConfig): readonly Middleware[] {
  const limit = limitOf(policies, config.limits.body)
  const { validation } = policies
  const isEnforced = validation && validation.mode === 'enforce' && validation.body.limit !== undefined
  if (isEnforced || largestBody(config) === limit) return []
  return [
    (next) => (exchange) => {
      exchange.body = limitBody(exchange.body, limit)
      return next(exchange)
    },
  ]
}

/** What a validation only reports makes no limit smaller. */
function limitOf({ validation }: PoliciesConfig, general: number): number {
  if (!validation || validation.body.limit === undefined) return general
  return validation.mode === 'report' ? Math.max(validation.body.limit, general) : validation.body.limit
}
