import type { Policy } from '../policies/policy.ts'
import type { Finding } from './issues.ts'
import { activePolicies } from './policy-schema.ts'
import type { GatewayConfig } from './schema.ts'

/** Request headers that the access log is configured to show although a policy says that they hold secrets. */
export function checkLogged({ log, policies, routes }: GatewayConfig, chain: readonly Policy[]): Finding[] {
  if (log.access === false || log.access.headers.length === 0) return []
  const secret = new Map<string, string>()
  for (const each of new Set([policies, ...routes.map((route) => route.policies)]))
    for (const [policy, options] of activePolicies(each, chain))
      for (const name of policy.secretFields?.(options) ?? []) secret.set(name.toLowerCase(), policy.name)
  return log.access.headers.flatMap((name, i) => {
    const policy = secret.get(name.toLowerCase())
    if (policy === undefined) return []
    const message = `${JSON.stringify(name)} contains secrets, because the policy ${policy} uses it, and must not be logged; expected another field`
    return [{ path: ['log', 'access', 'headers', i], message, isKey: false }]
  })
}
