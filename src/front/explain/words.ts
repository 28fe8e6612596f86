import { isDeepStrictEqual } from 'node:util'
import { activePolicies } from '../../config/policy-schema.ts'
import type { GatewayConfig, RouteConfig } from '../../config/schema.ts'
import { fieldOf, isFields } from '../../core/value.ts'
import type { Policy } from '../../policies/policy.ts'
import type { Unmet } from '../../routing/explain.ts'
import type { ValueMatch } from '../../routing/match.ts'
import { isSecret } from '../../telemetry/redact.ts'
import type { Origin } from './explanation.ts'

/** An unmet condition of a routing table line, in words. */
export function lackWords(unmet: Unmet): string {
  if ('name' in unmet) return valueWords(unmet)
  if (unmet.what === 'method') return `the method is not ${orList(unmet.expected)}`
  if (unmet.what === 'path-regex') return `the path does not match ${unmet.expected}`
  return `the ${unmet.what} is not ${unmet.expected}`
}

function valueWords({ what, name, expected, present }: Extract<Unmet, { name: string }>): string {
  const subject = `${what === 'header' ? 'header' : 'query parameter'} ${name}`
  if (!present) return `${subject} is missing`
  return isSecret(name) ? `${subject} has another value` : `${subject} ${expectedWords(expected)}`
}

function expectedWords(expected: ValueMatch): string {
  if (expected === true) return 'is missing'
  if (typeof expected === 'string') return `is not ${expected}`
  return 'regex' in expected ? `does not match ${expected.regex}` : `is not ${orList(expected)}`
}

function orList(words: readonly string[]): string {
  return words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}

/** Origin of the options of a route's policy, and which of them the route sets itself. */
export interface OptionsOrigin {
  readonly origin: Origin
  readonly ofRoute: readonly string[]
}

/** The origin for a route, or (null) for requests that match no route. */
export function originOf(name: string, config: GatewayConfig, route: RouteConfig | null): OptionsOrigin {
  const general: unknown = fieldOf(config.policies, name)
  const own: unknown = route === null ? general : fieldOf(route.policies, name)
  if (isDeepStrictEqual(general, own)) return { origin: 'global', ofRoute: [] }
  if (!isFields(general) || !isFields(own)) return { origin: 'route', ofRoute: [] }
  const ofRoute = Object.keys(own).filter((key) => !isDeepStrictEqual(own[key], general[key]))
  return { origin: 'global and route', ofRoute }
}

/** The policies of a route in chain order, including global ones that it has turned off. */
export function policiesOf(
  config: GatewayConfig,
  route: RouteConfig | null,
  chain: readonly Policy[],
): { readonly name: string; readonly off: boolean }[] {
  const on = new Set(activePolicies(route === null ? config.policies : route.policies, chain).map(([policy]) => policy))
  const general = new Set(activePolicies(config.policies, chain).map(([policy]) => policy))
  return chain
    .filter((policy) => on.has(policy) || general.has(policy))
    .map((policy) => ({ name: policy.name, off: !on.has(policy) }))
}

/** The route's actions in words; `service` is the service chosen for a request. */
export function leadWords(route: RouteConfig, service: string | null): string[] {
  const { reply, redirect, files, split, rewrite, mirror } = route
  const words: string[] = []
  if (reply !== undefined) words.push(`fixed reply with status ${reply.status}`)
  if (redirect !== undefined) words.push(`redirect with status ${redirect.status}`)
  if (files !== undefined) words.push('folder of files')
  if (split !== undefined) {
    const shares = Object.entries(split.services).map(([name, weight]) => `${name} ${weight}`)
    words.push(`split between ${shares.join(', ')}${service === null ? '' : `: this time ${service}`}`)
  }
  if (rewrite !== undefined) {
    const edits = Object.entries(rewrite).filter(([, to]) => to !== undefined && to !== false)
    words.push(`rewrite ${edits.map(([key, to]) => (to === true ? key : `${key} ${String(to)}`)).join(', ')}`)
  }
  for (const { service: name, share } of mirror ?? [])
    words.push(`copies of ${Number((share * 100).toFixed(2))}% of requests to ${name}`)
  return words
}
