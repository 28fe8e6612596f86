import type { Policy } from '../policies/policy.ts'
import { activePolicies, type PoliciesConfig } from './policy-schema.ts'
import { formatPath, type Path, type Problem } from './problems.ts'
import { routeOrderWarnings } from './route-order.ts'
import type { GatewayConfig } from './schema.ts'

/** Something that works but that the author of the configuration should know. */
export type Warning = Problem

/** A configuration, the policies that it may name, and its keys with old names. */
interface Warned {
  readonly config: GatewayConfig
  readonly chain?: readonly Policy[]
  readonly renamed: readonly Warning[]
}

/** The warnings about a configuration; the same warning about several routes is given for the first one only. */
export function warningsOf({ config, chain, renamed }: Warned): Warning[] {
  const reported = new Set<string>()
  const places = [
    { path: ['policies'] as Path, policies: config.policies, patterns: [] },
    ...config.routes.map(({ policies, match }, i) => ({
      path: ['routes', i, 'policies'] as Path,
      policies,
      patterns: match.path,
    })),
  ]
  const ofPolicies = places
    .flatMap(({ path, policies, patterns }) => warningsAt(path, policies, patterns, chain))
    .filter(({ key }) => {
      if (reported.has(key)) return false
      reported.add(key)
      return true
    })
  return [
    ...renamed,
    ...insecureServices(config),
    ...insecureRedis(config),
    ...routeOrderWarnings(config),
    ...ofPolicies,
  ]
}

function insecureServices({ services }: GatewayConfig): Warning[] {
  return Object.entries(services).flatMap(([name, { tls }]) => {
    if (tls?.insecure !== true) return []
    const message =
      tls.pin.length > 0
        ? 'the certificates of this service are not verified, except for the pin of their key'
        : 'the certificates of this service are not verified: anyone on the network path can read and change everything'
    return [{ path: formatPath(['services', name, 'tls', 'insecure']), message }]
  })
}

function insecureRedis({ stores: { redis } }: GatewayConfig): Warning[] {
  if (redis === null || typeof redis.tls === 'boolean' || !redis.tls.insecure) return []
  const message =
    'the certificates of Redis are not verified: anyone on the network path can read and change everything, including passwords and keys'
  return [{ path: formatPath(['stores', 'redis', 'tls', 'insecure']), message }]
}

function warningsAt(
  at: Path,
  policies: PoliciesConfig,
  patterns: readonly string[],
  chain?: readonly Policy[],
): (Warning & { key: string })[] {
  return activePolicies(policies, chain).flatMap(([policy, options]) => {
    return (policy.warnings?.(options, patterns) ?? []).map(({ path, message }) => {
      const steps = [policy.name, ...path]
      return { path: formatPath([...at, ...steps]), message, key: JSON.stringify([steps, message]) }
    })
  })
}
