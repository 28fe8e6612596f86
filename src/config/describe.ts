import type { Policy } from '../policies/policy.ts'
import { type Condition, type MatchLine, routingTable } from '../routing/match.ts'
import type { Rewrite } from '../routing/rewrite.ts'
import { alignColumns } from './columns.ts'
import { activePolicies } from './policy-schema.ts'
import type { GatewayConfig, RouteConfig } from './schema.ts'

const HEADINGS = ['HOST', 'PATH', 'WHEN', 'TO', 'POLICIES', 'ROUTE']

/** The routing table as text, with one line for each host and path of a route, the most specific first. */
export function describeRoutes(config: GatewayConfig, chain?: readonly Policy[]): string {
  const table = routingTable(config.routes.map((route) => ({ match: route.match, value: route })))
  return alignColumns([HEADINGS, ...table.map((line) => rowOf(line, chain))])
}

function rowOf(
  { listener, host, pattern, pathRegex, methods, headers, query, precedence, value: route }: MatchLine<RouteConfig>,
  chain?: readonly Policy[],
): string[] {
  const conditions = [
    listener === null ? '' : `on ${listener}`,
    pathRegex === null ? '' : `~ ${pathRegex}`,
    methods.join(','),
    ...headers.map((condition) => describeCondition(condition, ': ')),
    ...query.map((condition) => `?${describeCondition(condition, '=')}`),
    precedence === 0 ? '' : `precedence ${precedence}`,
  ].filter((text) => text !== '')
  const hostText = host === null ? '*' : `${host.wildcard ? '*.' : ''}${host.name}`
  const policies = activePolicies(route.policies, chain).map(([policy]) => policy.name)
  return [
    hostText,
    pattern.text,
    conditions.join(' ') || '*',
    describeTarget(route),
    policies.join(', ') || '-',
    route.id,
  ]
}

function describeCondition({ name, values, regex }: Condition, separator: string): string {
  const text = regex === null ? values.join('|') || '*' : `~ ${regex}`
  return `${name}${separator}${text}`
}

function describeTarget({ service, split, mirror = [], reply, redirect, files, rewrite }: RouteConfig): string {
  if (reply !== undefined) return `reply ${reply.status}`
  if (redirect !== undefined) return `redirect ${redirect.status} to ${redirect.to}`
  const weights = Object.entries(split?.services ?? {}).map(([name, weight]) => `${name} ${weight}`)
  const target = files === undefined ? `-> ${service ?? weights.join(' | ')}` : `files of ${files.root}`
  const change = rewrite === undefined ? '' : ` (${describeRewrite(rewrite)})`
  const copies = mirror.map(({ service: to, share }) => `, ${Number((share * 100).toFixed(4))}% also to ${to}`)
  return `${target}${change}${copies.join('')}`
}

function describeRewrite(rewrite: Rewrite): string {
  const host = rewrite.host === undefined ? [] : [`host ${rewrite.host}`]
  if ('strip' in rewrite) return [`without ${rewrite.strip}`, ...host].join(', ')
  if ('prefix' in rewrite) return [`${rewrite.prefix} as ${rewrite.with}`, ...host].join(', ')
  return [...(rewrite.path === undefined ? [] : [`as ${rewrite.path}`]), ...host].join(', ')
}
