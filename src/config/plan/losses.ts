import { messageOf } from '../../core/error-facts.ts'
import type { OptionsPath, Policy } from '../../policies/policy.ts'
import { mainService } from '../route-services.ts'
import { activePolicies } from '../policy-schema.ts'
import { replySource } from '../reply-source.ts'
import { ConfigError, formatPath, type Path } from '../problems.ts'
import { fieldOf } from '../../core/value.ts'
import type { RouteConfig } from '../schema.ts'
import type { Side } from './side.ts'

/** State of a policy that is lost by a change. */
export interface Loss {
  readonly policy: string
  /** Where the policy's options are: the general ones, or those of a route. */
  readonly scope: Path
  /** The options that the state depends on, as steps from the options. */
  readonly options: readonly OptionsPath[]
  readonly text: string
}

/**
 * The state that policies lose although they stay on, for each route that stays and for all other requests. Throws ConfigError if a policy
 * cannot say what it keeps.
 */
export function lossesOf(before: Side, after: Side): Loss[] {
  const known = new Map(before.config.routes.map((route) => [route.id, route]))
  return [
    ...lossesAt(null, null, before, after),
    ...after.config.routes.flatMap((route) => {
      const old = known.get(route.id)
      return old === undefined ? [] : lossesAt(old, route, before, after)
    }),
  ]
}

function lossesAt(old: RouteConfig | null, route: RouteConfig | null, before: Side, after: Side): Loss[] {
  return after.chain.flatMap((policy) => {
    const kept = new Map(keptBy(policy, after, route).map((state) => [state.name, state]))
    return keptBy(policy, before, old).flatMap(({ name, identities, options, loss }): Loss[] => {
      const state = kept.get(name)
      if (state === undefined || identities.every((each) => state.identities.includes(each))) return []
      const scope: Path = route === null ? ['policies'] : ['routes', route.id, 'policies']
      return [{ policy: policy.name, scope, options, text: loss }]
    })
  })
}

function keptBy(policy: Policy, { config, chain }: Side, route: RouteConfig | null) {
  const general = optionsOf(policy, config.policies, config.stores.redis !== null)
  const options = route === null ? general : optionsOf(policy, route.policies, config.stores.redis !== null)
  if (options === null || policy.keeps === undefined) return []
  try {
    const here = { id: route?.id ?? '', service: route === null ? null : mainService(route) }
    const source = (): string => {
      const active = activePolicies(route?.policies ?? config.policies, chain)
      const own = chain.find(({ name }) => name === policy.name) ?? policy
      return replySource(own, active, route, config)
    }
    return policy.keeps(options, here, general, source)
  } catch (error) {
    const path = formatPath([...(route === null ? [] : ['routes', route.id]), 'policies', policy.name])
    const reason = messageOf(error)
    throw new ConfigError([{ path, message: `the policy could not report what it keeps: ${reason}` }])
  }
}

/** The options of a policy that is on, with the default store filled in, at the top level only; otherwise null. */
function optionsOf({ name, stores = [] }: Policy, policies: object, redis: boolean): unknown {
  const options = fieldOf(policies, name)
  if (options === undefined || options === false) return null
  const filled = stores.flatMap(({ path: [key = '', ...further], instead }) =>
    further.length > 0 || fieldOf(options, key) !== undefined ? [] : [[key, redis ? 'redis' : instead]],
  )
  return typeof options === 'object' ? { ...options, ...Object.fromEntries(filled) } : options
}
