import { isDeepStrictEqual } from 'node:util'
import { type Fields, isFields, itemsOf } from '../../core/value.ts'
import { parsePattern, PatternError } from '../../routing/pattern.ts'
import { parseRedirect } from '../../routing/redirect.ts'
import { checkRewrite } from '../../routing/rewrite.ts'
import { durationText } from '../read.ts'
import { endpointsFor } from '../own-endpoints.ts'
import type { AppliedPlugin, AppliedPlugins } from './applied-plugins.ts'
import type { Context } from './context.ts'
import { mergeFragments, type Merged } from './merge-fragments.ts'
import type { ImportedRoute } from './routes.ts'
import type { KongService } from './services.ts'

/** The default drain timeout, in milliseconds. */
const USUAL_DRAIN = 30_000

/** A route combined with its translated plugins. */
interface ComposedRoute {
  readonly route: ImportedRoute
  readonly merged: Merged
  /** All of its policies, including those for every route. */
  readonly policies: Record<string, Fields>
}

/** Composes the configuration from routes with their services and plugins. */
export function compose(
  services: readonly KongService[],
  routes: readonly ImportedRoute[],
  plugins: AppliedPlugins,
  context: Context,
): Fields {
  const preserving = preservingServices(routes)
  const everywhere = mergeFragments(plugins.everywhere(), plugins.limits)
  const composed = routes.map((route): ComposedRoute => {
    const merged = mergeFragments(plugins.forRoute(route.entity, route.service?.entity ?? null), plugins.limits)
    return { route, merged, policies: withSources(merged.policies, route) }
  })
  const shared = sharedPolicies(everywhere, composed)
  const general = ownCopy(shared)
  for (const [name, options] of Object.entries(shared)) tellOf(general, name, options, everywhere, context)
  const list = composed.map((each) => writtenRoute(each, shared, preserving, context))
  for (const [i, { route }] of composed.entries())
    for (const note of [...inexact(route.entity), ...withoutPolicy(plugins.of(route.entity))])
      context.comments.add(list, i, note)
  const named = Object.fromEntries(
    services.map((service) => [service.name, serviceOptions(service, preserving)] as const),
  )
  for (const { name, entity } of services)
    for (const note of [...inexact(entity), ...withoutPolicy(plugins.of(entity))])
      context.comments.add(named, name, note)
  const { redis } = context.stores
  const drain = drainFor(services)
  return {
    listeners: [{ address: '0.0.0.0:8000' }],
    ...endpointsFor(patternsOf(routes)),
    ...(drain !== null && { drainTimeout: drain }),
    ...(redis !== undefined && { stores: { redis } }),
    services: named,
    ...(Object.keys(general).length > 0 && { policies: general }),
    routes: list,
  }
}

/**
 * The policies for every route. A policy is left out if some route's own version lacks one of its options, because the option would be
 * merged into it; each route then has all of its options itself.
 */
function sharedPolicies(everywhere: Merged, composed: readonly ComposedRoute[]): Record<string, Fields> {
  return Object.fromEntries(
    Object.entries(everywhere.policies).filter(([name, options]) =>
      composed.every(({ policies }) => {
        const own = policies[name]
        return own === undefined || Object.keys(options).every((option) => Object.hasOwn(own, option))
      }),
    ),
  )
}

function withSources(policies: Readonly<Record<string, Fields>>, { sources }: ImportedRoute): Record<string, Fields> {
  const access = policies['ip-access']
  if (sources.length === 0 || access?.['allow'] !== undefined) return { ...policies }
  return { ...policies, 'ip-access': { allow: [...sources], ...access } }
}

function writtenRoute(
  { route, merged, policies }: ComposedRoute,
  shared: Readonly<Record<string, Fields>>,
  preserving: ReadonlySet<KongService>,
  context: Context,
): Fields {
  const own: Record<string, unknown> = {}
  const different = Object.entries(policies).filter(([name, options]) => !isDeepStrictEqual(options, shared[name]))
  const copies = ownCopy(Object.fromEntries(different))
  for (const [name, options] of different) {
    own[name] = copies[name]
    tellOf(own, name, options, merged, context)
  }
  for (const name of Object.keys(shared)) if (policies[name] === undefined) own[name] = false
  return {
    id: route.id,
    match: route.match,
    ...targetOf(route, merged, preserving),
    ...(route.service?.isGrpc === true && merged.target === null && { streaming: true }),
    ...(merged.timeouts !== null && route.service !== null && merged.target === null && { timeouts: merged.timeouts }),
    ...(Object.keys(own).length > 0 && { policies: own }),
  }
}

/** The target of a route. */
function targetOf(route: ImportedRoute, merged: Merged, preserving: ReadonlySet<KongService>): Fields {
  const { entity, service } = route
  const patterns = itemsOf([route.match['path']].flat()).flatMap((path) =>
    typeof path === 'string' ? [parsePattern(path)] : [],
  )
  const { target } = merged
  if (target !== null) {
    const redirect = target['redirect']
    if (!isFields(redirect) || isUsable(() => parseRedirect(String(redirect['to']), patterns))) return { ...target }
    entity.entry.tell(
      'different',
      `It cannot redirect to ${String(redirect['to'])}, because not every path has these parameters. It answers 503.`,
    )
    return { reply: { status: 503 } }
  }
  if (service === null) {
    entity.entry.tell('different', 'Its service was left out, so the route answers 503. Give it a service.')
    return { reply: { status: 503 } }
  }
  const path = merged.path
  const isKnown = path !== null && isUsable(() => checkRewrite({ path }, patterns))
  if (path !== null && !isKnown)
    entity.entry.tell(
      'different',
      `The path ${path} uses parameters that not every path of the route has, so the path is not changed.`,
    )
  const keepsHost = route.preservesHost && !preserving.has(service)
  const rewrite = { ...(isKnown ? { path } : route.rewrite), ...(keepsHost && { host: '{host}' }) }
  return { service: service.name, ...(Object.keys(rewrite).length > 0 && { rewrite }) }
}

function serviceOptions(service: KongService, preserving: ReadonlySet<KongService>): Fields {
  return preserving.has(service) ? { ...service.options, host: 'client' } : service.options
}

/** The services whose routes all preserve the client's host. */
function preservingServices(routes: readonly ImportedRoute[]): ReadonlySet<KongService> {
  const found = new Set(
    routes.flatMap(({ service, preservesHost }) => (service !== null && preservesHost ? [service] : [])),
  )
  for (const { service, preservesHost } of routes) if (service !== null && !preservesHost) found.delete(service)
  return found
}

/** A drain timeout that lets replies take as long as they may; null if the default does. */
function drainFor(services: readonly KongService[]): string | null {
  const longest = Math.max(0, ...services.map(({ readTimeout }) => readTimeout))
  return longest > USUAL_DRAIN ? durationText(longest) : null
}

/** Paths of routes without a host; routes with one take precedence over the gateway's own endpoints. */
function patternsOf(routes: readonly ImportedRoute[]): string[] {
  return routes
    .filter(({ match }) => match['host'] === undefined)
    .flatMap(({ paths }) => paths.map(({ pattern }) => pattern))
}

/** Adds comments above a policy: inexact translations of the plugins it is made from, and why it denies everyone. */
function tellOf(parent: object, name: string, options: Fields, merged: Merged, { comments }: Context): void {
  for (const { entity, fragment } of merged.sources.get(name) ?? [])
    if (Object.keys(fragment.policies ?? {})[0] === name)
      for (const note of inexact(entity)) comments.add(parent, name, note)
  if (name === 'ip-access' && merged.closed.length > 0 && options['deny'] !== undefined)
    comments.add(
      parent,
      name,
      `All requests are refused, because ${merged.closed.join(', ')} could not be imported. Remove this once the route is protected otherwise.`,
    )
}

/** The notes on plugins that no policy was made from. */
export function withoutPolicy(plugins: readonly AppliedPlugin[]): string[] {
  return plugins.flatMap(({ entity, name, fragment }) =>
    Object.keys(fragment.policies ?? {}).length > 0 || fragment.closed !== undefined
      ? []
      : inexact(entity).map((note) => `${name}: ${note}`),
  )
}

function inexact({ entry }: AppliedPlugin['entity']): readonly string[] {
  return entry.fidelity === 'exact' ? [] : entry.notes
}

function isUsable(parse: () => unknown): boolean {
  try {
    parse()
    return true
  } catch (error) {
    if (error instanceof PatternError) return false
    throw error
  }
}

/**
 * The authentication options stay one shared value, so that they are written once; everything else is copied and written wherever it
 * applies.
 */
function ownCopy(policies: Readonly<Record<string, Fields>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(policies).map(([name, options]) => [name, copyOf(options, name === 'auth' ? 'methods' : '')]),
  )
}

function copyOf(value: unknown, exceptKey: string): unknown {
  if (Array.isArray(value)) return itemsOf(value).map((item) => copyOf(item, exceptKey))
  if (!isFields(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, key === exceptKey ? each : copyOf(each, exceptKey)]),
  )
}
