import { activePolicies } from '../config/policy-schema.ts'
import type { PolicyDocs, ProofDocs, RefusalDocs, FieldDocs, ParameterDocs } from '../policies/policy-docs.ts'
import type { Policy } from '../policies/policy.ts'
import type { Method } from './service-api.ts'
import { sampleOf } from './template.ts'
import type { Place } from './places.ts'

/** What all policies of a route together mean for callers of an operation. */
export interface AllPoliciesDocs {
  /** Null if no policy requires authentication. */
  readonly proofs: readonly ProofDocs[] | null
  readonly roles: readonly string[]
  readonly scopes: readonly string[]
  readonly refusals: readonly RefusalDocs[]
  readonly fields: readonly FieldDocs[]
  readonly parameters: readonly ParameterDocs[]
  readonly moves: boolean
}

/** Combines the documentation of all policies of the route. */
export function documentPolicies(
  { routePath, template }: Place,
  method: Method,
  chain: readonly Policy[],
): AllPoliciesDocs {
  const operation = { method: method.toUpperCase(), path: sampleOf(template) }
  const docs = activePolicies(routePath.route.policies, chain).map(
    ([policy, options]): PolicyDocs => policy.document?.(options, operation) ?? {},
  )
  const withProofs = docs.filter(({ proofs }) => proofs !== undefined)
  return {
    proofs: withProofs.length === 0 ? null : withProofs.flatMap(({ proofs = [] }) => proofs),
    roles: docs.flatMap(({ roles = [] }) => roles),
    scopes: docs.flatMap(({ scopes = [] }) => scopes),
    refusals: docs.flatMap(({ refusals = [] }) => refusals),
    fields: docs.flatMap(({ fields = [] }) => fields),
    parameters: docs.flatMap(({ parameters = [] }) => parameters),
    moves: docs.some(({ moves = false }) => moves),
  }
}
