import { z } from 'zod'
import { activePolicies } from '../config/policy-schema.ts'
import type { GatewayConfig, RouteConfig } from '../config/schema.ts'
import type { MetricName } from '../core/metric-table.ts'
import type { Policy } from '../policies/policy.ts'
import { parseLabels } from '../telemetry/metrics/labels.ts'
import type { AdminApp } from './app.ts'
import type { AdminContext } from './context.ts'
import { maskedFields } from '../config/masked-config.ts'

const condition = z.record(z.string(), z.unknown())

export const route = z.object({
  id: z.string(),
  match: z.object({
    listener: z.string().array().describe('None: every listener.'),
    path: z.string().array().describe('Patterns, one of which must match.'),
    pathRegex: z.string().nullable().describe('Regular expression for the whole path; null for none.'),
    host: z.string().array().describe('None: every host.'),
    method: z.string().array().describe('None: every method.'),
    headers: condition.describe('Required headers: a value, a list of values, a map with regex, or true for any.'),
    query: condition.describe(
      'Required query parameters: a value, a list of values, a map with regex, or true for any.',
    ),
    precedence: z.int().describe('Among equally specific matches the highest wins.'),
  }),
  service: z
    .string()
    .nullable()
    .describe('Service that requests are forwarded to; null for several services, a fixed reply, a redirect or files.'),
  split: z
    .record(z.string(), z.int())
    .nullable()
    .describe('The services that share the requests, with their weights; null for one or none.'),
  mirror: z
    .object({ service: z.string(), share: z.number().describe('From 0 to 1.') })
    .array()
    .describe('Services that get copies of requests.'),
  replyStatus: z.int().nullable().describe('Status of the fixed reply or the redirect.'),
  policies: z.string().array().describe('Active policies, outermost first.'),
  lastRequestAt: z.iso.datetime().nullable().describe('When its last request ended; null for none since the start.'),
  cache: z
    .record(z.string(), z.int())
    .nullable()
    .describe('Requests since the start, by result in the cache of the route; null if it has no cache.'),
})

type Route = z.input<typeof route>
type Configured = Omit<Route, 'lastRequestAt' | 'cache'>

const LAST = 'sallyport_route_last_request_seconds'
const CACHED = 'sallyport_route_cache_requests_total'
const COUNTED: ReadonlySet<MetricName> = new Set([LAST, CACHED])

/** GET /routes: the configured routes, and when they were last used. */
export function routeEndpoints(app: AdminApp, { config, policies, totals, clock }: AdminContext): void {
  const known = new WeakMap<GatewayConfig, Configured[]>()

  async function configured(): Promise<Configured[]> {
    const current = config()
    const routes = known.get(current)
    if (routes !== undefined) return routes
    const chain = await policies(current)
    const made = current.routes.map((each) => describe(each, chain))
    known.set(current, made)
    return made
  }

  async function describeAll(): Promise<Route[]> {
    const routes = await configured()
    const counted = totals(COUNTED)
    const origin = clock.wall() - clock.now()
    const last = new Map(
      counted
        .of(LAST)
        .map(({ labels, cells: [seconds = 0] }) => [parseLabels(labels).get('route'), origin + seconds * 1000]),
    )
    const cached = new Map<string, Record<string, number>>()
    for (const { labels, cells } of counted.of(CACHED)) {
      const [id = '', outcome = ''] = ['route', 'outcome'].map((label) => parseLabels(labels).get(label))
      const outcomes = cached.get(id) ?? {}
      outcomes[outcome] = cells[0] ?? 0
      cached.set(id, outcomes)
    }
    return routes.map((each) => {
      const at = last.get(each.id)
      const lastRequestAt = at === undefined ? null : new Date(at).toISOString()
      const cache = each.policies.includes('cache') ? (cached.get(each.id) ?? {}) : null
      return Object.assign({}, each, { lastRequestAt, cache })
    })
  }

  app.get(
    '/routes',
    {
      schema: {
        summary: 'The routes, in the order of the configuration',
        tags: ['gateway'],
        response: { 200: z.object({ routes: route.array() }) },
      },
    },
    async () => ({ routes: await describeAll() }),
  )
}

function describe(
  { id, match, service, split, mirror, reply, redirect, policies: options }: RouteConfig,
  chain: readonly Policy[],
): Configured {
  return {
    id,
    match: {
      listener: match.listener ?? [],
      path: match.path,
      pathRegex: match.pathRegex ?? null,
      host: match.host ?? [],
      method: match.method ?? [],
      headers: maskedFields(match.headers ?? {}, false),
      query: maskedFields(match.query ?? {}, false),
      precedence: match.precedence ?? 0,
    },
    service: service ?? null,
    split: split?.services ?? null,
    mirror: mirror ?? [],
    replyStatus: reply?.status ?? redirect?.status ?? null,
    policies: activePolicies(options, chain).map(([{ name }]) => name),
  }
}
