import type { Policy } from '../policies/policy.ts'
import { policies } from '../policies/index.ts'
import type { Finding } from './issues.ts'
import { policiesSchemaOf } from './policy-schema.ts'
import { routeSchema } from './route-schema.ts'
import { type GatewayConfig, gatewaySchema } from './schema.ts'
import { fieldOf } from '../core/value.ts'

/** Schema of a configuration whose policies are those of the chain. */
export function gatewaySchemaFor(chain: readonly Policy[]): typeof gatewaySchema {
  if (chain === policies) return gatewaySchema
  const own = policiesSchemaOf(chain).prefault({})
  return gatewaySchema.extend({ policies: own, routes: routeSchema.extend({ policies: own }).array().default([]) })
}

/** The parsed options of custom policies are sent to the worker threads, so they must be data, without functions or the like. */
export function checkPlain(config: GatewayConfig, chain: readonly Policy[]): Finding[] {
  const builtIn = new Set<Policy>(policies)
  const names = chain.flatMap((policy) => (builtIn.has(policy) ? [] : [policy.name]))
  const places = [{ path: [], value: config }, ...config.routes.map((value, i) => ({ path: ['routes', i], value }))]
  return places.flatMap(({ path, value }) =>
    names.flatMap((name) => {
      try {
        structuredClone(fieldOf(value.policies, name))
        return []
      } catch {
        const message = 'the schema of its options produces something other than plain data; expected plain data'
        return [{ path: [...path, 'policies', name], isKey: false, message }]
      }
    }),
  )
}
