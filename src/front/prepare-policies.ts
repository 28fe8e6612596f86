import { activePolicies } from '../config/policy-schema.ts'
import type { GatewayConfig } from '../config/schema.ts'
import { messageOf } from '../core/error-facts.ts'
import type { SlicedWork } from '../core/time-slices.ts'
import type { Policy } from '../policies/policy.ts'
import { PolicyError } from './compiler.ts'

/** Performs the expensive preparations of all routes' policies in advance. Throws PolicyError. */
export function* preparePolicies({ policies, routes }: GatewayConfig, chain: readonly Policy[]): SlicedWork {
  const slow = chain.filter((policy) => policy.prepare !== undefined)
  for (const each of new Set([policies, ...routes.map((route) => route.policies)])) {
    for (const [policy, options] of activePolicies(each, slow)) yield* prepared(policy, options)
    yield
  }
}

function* prepared(policy: Policy, options: unknown): SlicedWork {
  try {
    yield* policy.prepare?.(options) ?? []
  } catch (error) {
    const why = messageOf(error)
    throw new PolicyError(`policy "${policy.name}" could not be set up: ${why}`, { cause: error })
  }
}
