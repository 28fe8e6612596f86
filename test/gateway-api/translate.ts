import type { Duration, GatewayInput } from '../../src/gateway.ts'
import { matchKeys } from '../../src/routing/match.ts'
import { commonHosts } from './hostnames.ts'
import type {
  GatewayListener,
  GatewayResources,
  HeaderModifier,
  HttpFilter,
  HttpMatch,
  HttpRoute,
  HttpRule,
  Named,
  PathModifier,
} from './model.ts'

type Route = NonNullable<GatewayInput['routes']>[number]
type Match = Route['match']
type Services = NonNullable<GatewayInput['services']>
type Service = Services[string]

/** Where the requests of a listener come in: one address for all listeners of a port. */
export interface Entrance {
  /** As routes name it. */
  readonly name: string
  readonly gateway: string
  readonly port: number
  readonly tls: boolean
}

/** What becomes of Gateways and HTTPRoutes. */
export interface Translated {
  readonly entrances: readonly Entrance[]
  readonly routes: readonly Route[]
  readonly services: Services
}

/**
 * The configuration that does what Gateways and HTTPRoutes want, as a controller would write it; `serviceOf` is a service as it is
 * without them. What cannot be said is left out.
 *
 * - Each match of each rule becomes a route at each listener that the HTTPRoute is attached to, and at the hosts that both have.
 * - Of the same match, the first counts (the suite creates the older HTTPRoute first). Rules that are as specific go by their order.
 * - What no rule takes is 404, other methods included, and HEAD where GET is taken: for every entrance there is a route that says so.
 */
export function translate({ gateways, routes }: GatewayResources, serviceOf: (name: string) => Service): Translated {
  const entrances = new Map<string, Entrance>()
  for (const [gateway, listeners] of Object.entries(gateways))
    for (const { port, tls = false } of listeners) {
      const name = `${gateway}:${port}`
      entrances.set(name, { name, gateway, port, tls })
    }
  const builder = new Builder(serviceOf)
  for (const route of routes)
    for (const { gateway, section, port } of route.parents)
      for (const listener of gateways[gateway] ?? []) {
        if (section !== undefined && section !== listener.name) continue
        if (port !== undefined && port !== listener.port) continue
        builder.attach(route, listener, `${gateway}:${listener.port}`)
      }
  for (const { name } of entrances.values()) builder.add('none', { path: '/*', listener: name }, NOT_FOUND)
  return { entrances: [...entrances.values()], routes: builder.routes, services: builder.services }
}

const NOT_FOUND = { reply: { status: 404 } }

class Builder {
  readonly routes: Route[] = []
  readonly services: Services = {}
  private readonly serviceOf: (name: string) => Service
  private readonly known = new Set<string>()

  constructor(serviceOf: (name: string) => Service) {
    this.serviceOf = serviceOf
  }

  attach(route: HttpRoute, listener: GatewayListener, entrance: string): void {
    const hosts = commonHosts(route.hostnames, listener.hostname)
    if (hosts?.length === 0) return
    for (const rule of route.rules)
      for (const match of rule.matches ?? [{}]) {
        const where = { listener: entrance, ...(hosts !== null && { host: [...hosts] }) }
        const wanted = { ...matchOf(match), ...where, precedence: -this.routes.length }
        this.add(route.name, wanted, this.end(rule, match, listener))
        if (match.method === 'GET') this.add(`${route.name}-head`, { ...wanted, method: 'HEAD' }, NOT_FOUND)
      }
  }

  add(name: string, match: Match, end: Omit<Route, 'id' | 'match'>): void {
    const list = (value: string | string[] | undefined): string[] =>
      typeof value === 'string' ? [value] : (value ?? [])
    const { host, method, listener } = match
    const keys = matchKeys({
      ...match,
      path: list(match.path),
      host: host === undefined ? undefined : list(host),
      method: method === undefined ? undefined : list(method),
      listener: listener === undefined ? undefined : list(listener),
    })
    if (keys.some((key) => this.known.has(key))) return
    for (const key of keys) this.known.add(key)
    this.routes.push({ id: `${name}-${this.routes.length}`, match, ...end })
  }

  private end(rule: HttpRule, match: HttpMatch, listener: GatewayListener): Omit<Route, 'id' | 'match'> {
    const { to = [], timeouts = {} } = rule
    const [only] = to.length === 1 ? to : []
    const filters = [...(rule.filters ?? []), ...(only?.filters ?? [])]
    const redirect = find(filters, 'requestRedirect')
    if (redirect !== undefined)
      return { redirect: { to: redirectTo(redirect, match, listener), status: redirect.statusCode ?? 302 } }
    const parts = to.filter(({ weight = 1 }) => weight > 0)
    if (parts.every(({ service }) => service === null)) return { reply: { status: 500 } }
    const names = to.map(({ service, weight = 1 }) => [this.service(service ?? 'missing', rule), weight] as const)
    const [first] = names
    const headers = Object.fromEntries(to.map(({ filters: own = [] }, i) => [names[i]![0], partOf(own)]))
    const rewrite = rewriteOf(find(filters, 'urlRewrite'), match)
    const mirrors = filters.flatMap(({ requestMirror }) =>
      requestMirror === undefined ? [] : [this.mirror(requestMirror)],
    )
    const limits = {
      ...(isSet(timeouts.request) && { total: timeouts.request }),
      ...(isSet(timeouts.backendRequest) && { response: timeouts.backendRequest }),
    }
    return {
      ...(names.length === 1 && first !== undefined
        ? { service: first[0] }
        : { split: { services: Object.fromEntries(names), headers } }),
      ...(rewrite !== undefined && { rewrite }),
      ...(mirrors.length > 0 && { mirror: mirrors }),
      ...(Object.keys(limits).length > 0 && { timeouts: limits }),
      policies: policiesOf(filters),
    }
  }

  private mirror({ backendRef, percent, fraction }: NonNullable<HttpFilter['requestMirror']>) {
    const part = fraction === undefined ? (percent ?? 100) : (100 * fraction.numerator) / (fraction.denominator ?? 100)
    return { service: this.service(backendRef.name, {}), share: `${part}%` as const }
  }

  /** The name of a service that sends requests again as the rule wants it. */
  private service(name: string, { retry }: HttpRule): string {
    const statuses = (retry?.codes ?? []).filter((code) => code >= 500 && code !== 504)
    const own = retry === undefined ? name : [name, 'retry', retry.attempts, ...statuses].join('-')
    const service = this.serviceOf(name)
    const again = { attempts: retry?.attempts ?? 1, statuses, budget: '100%', minimum: '1000/s' } as const
    this.services[own] ??= { ...service, retry: retry === undefined ? false : again }
    return own
  }
}

function matchOf({ path, method, headers = [], queryParams = [] }: HttpMatch): Match {
  return {
    path: patternOf(path),
    ...(path?.type === 'RegularExpression' && { pathRegex: path.value }),
    ...(method !== undefined && { method }),
    ...(headers.length > 0 && { headers: valuesOf(headers, (name) => name.toLowerCase()) }),
    ...(queryParams.length > 0 && { query: valuesOf(queryParams, (name) => name) }),
  }
}

function patternOf(path: HttpMatch['path']): string {
  if (path === undefined || path.type === 'RegularExpression') return '/*'
  return path.type === 'Exact' ? path.value : `${withoutSlash(path.value)}/*`
}

/** Of several for one name, the first counts. */
function valuesOf(all: readonly Named[], spell: (name: string) => string): Record<string, string | { regex: string }> {
  const values: Record<string, string | { regex: string }> = {}
  for (const { name, value, type } of all)
    values[spell(name)] ??= type === 'RegularExpression' ? { regex: value } : value
  return values
}

function find<Key extends keyof HttpFilter>(filters: readonly HttpFilter[], key: Key): HttpFilter[Key] | undefined {
  return filters.find((filter) => filter[key] !== undefined)?.[key]
}

const PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 }

function redirectTo(
  { scheme, hostname, port, path }: NonNullable<HttpFilter['requestRedirect']>,
  match: HttpMatch,
  listener: GatewayListener,
): string {
  const target = path === undefined ? '{path}' : replaced(path, match)
  if (scheme === undefined && hostname === undefined && port === undefined)
    return path === undefined ? '{scheme}://{host}{path}' : target
  const own = listener.tls === true ? 'https' : 'http'
  const leads = scheme ?? own
  const at = port ?? (scheme === undefined ? listener.port : PORTS[leads])
  return `${leads}://${hostname ?? '{hostname}'}${at === PORTS[leads] ? '' : `:${at}`}${target}`
}

/** A path instead of that of the request: the whole path, or the matched prefix. */
function replaced(path: PathModifier, match: HttpMatch): string {
  if (path.type === 'ReplaceFullPath') return path.replaceFullPath
  return match.path?.type === 'Exact' ? path.replacePrefixMatch : `${withoutSlash(path.replacePrefixMatch)}/*`
}

function rewriteOf(rewrite: HttpFilter['urlRewrite'], match: HttpMatch): Route['rewrite'] {
  if (rewrite === undefined) return undefined
  const { hostname, path } = rewrite
  const host = hostname === undefined ? {} : { host: hostname }
  if (path !== undefined) return { path: replaced(path, match), ...host }
  return hostname === undefined ? undefined : { host: hostname }
}

function policiesOf(filters: readonly HttpFilter[]): NonNullable<Route['policies']> {
  const request = find(filters, 'requestHeaderModifier')
  const response = find(filters, 'responseHeaderModifier')
  const cors = find(filters, 'cors')
  return {
    ...(request !== undefined && { 'request-headers': editsOf(request) }),
    ...(response !== undefined && { 'response-headers': editsOf(response) }),
    ...(cors !== undefined && { cors: corsOf(cors) }),
  }
}

/** What is said of one service of several. */
function partOf(filters: readonly HttpFilter[]) {
  const request = find(filters, 'requestHeaderModifier')
  const response = find(filters, 'responseHeaderModifier')
  return {
    ...(request !== undefined && { request: editsOf(request) }),
    ...(response !== undefined && { response: editsOf(response) }),
  }
}

function editsOf({ set = [], add = [], remove = [] }: HeaderModifier) {
  const fields = (all: readonly Named[]) => Object.fromEntries(all.map(({ name, value }) => [name, value]))
  return { set: fields(set), add: fields(add), remove: [...remove] }
}

/** Everybody, with their credentials, is nothing that can be configured. */
function corsOf(cors: NonNullable<HttpFilter['cors']>) {
  const origins = cors.allowOrigins ?? []
  return {
    origins,
    methods: cors.allowMethods ?? [],
    headers: cors.allowHeaders ?? [],
    exposedHeaders: cors.exposeHeaders ?? [],
    credentials: cors.allowCredentials === true && !origins.includes('*'),
    maxAge: `${cors.maxAge ?? 5}s` as const,
  }
}

function isSet(time: Duration | undefined): time is Duration {
  return time !== undefined && time !== '0s'
}

function withoutSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path
}
