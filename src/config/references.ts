import type { SlicedWork } from '../core/time-slices.ts'
import { matchKeys } from '../routing/match.ts'
import { parsePattern, PatternError } from '../routing/pattern.ts'
import { parseRedirect } from '../routing/redirect.ts'
import { compileBody, compileField, contentTypeAmong } from '../routing/reply-text.ts'
import { checkRewrite } from '../routing/rewrite.ts'
import type { OptionsPath, Policy } from '../policies/policy.ts'
import { checkAcme } from './check-acme.ts'
import { checkLogged } from './check-logged.ts'
import { type Finding, lookAt, type Written } from './issues.ts'
import { matching, optionPaths } from './option-paths.ts'
import { formatPath, type Path } from './problems.ts'
import { routeSchema } from './route-schema.ts'
import { listenerName } from './listener-name.ts'
import { type GatewayConfig, gatewaySchema, type RouteConfig } from './schema.ts'
import { checkSticky } from './check-sticky.ts'
import { checkShadowed } from './shadowed-routes.ts'
import { hint } from './suggest.ts'
import { at, fieldOf, isFields, itemsOf } from '../core/value.ts'

type Match = RouteConfig['match']

const TARGETS = ['service', 'split', 'reply', 'redirect', 'files']
/** Keys that make sense only if requests are forwarded, by the place where they are written. */
const FOR_TARGETS: Readonly<Record<string, readonly string[]>> = {
  rewrite: ['service', 'split', 'files'],
  mirror: ['service', 'split'],
  timeouts: ['service', 'split'],
  retry: ['service', 'split'],
  buffer: ['service', 'split'],
}

/**
 * Cross-checks the parts of a configuration, in steps, with the policies of `chain`; parts that are invalid in themselves are skipped.
 * `parsed` is the configuration with defaults, or null if it is invalid.
 */
export function* checkReferences(
  config: unknown,
  written: Written,
  chain: readonly Policy[],
  parsed: GatewayConfig | null,
): SlicedWork<Finding[]> {
  const routes = itemsOf(fieldOf(config, 'routes'))
  const matches = parsed?.routes.map(({ match }) => match) ?? routes.map(matchOf)
  const services = fieldOf(config, 'services')
  const serviceNames = new Set(isFields(services) ? Object.keys(services) : [])
  const checks: readonly (() => Finding[])[] = [
    () => routes.flatMap((route, i) => (isFields(route) ? checkTarget(route, ['routes', i]) : [])),
    () =>
      routes.flatMap((route, i) =>
        checkService(fieldOf(route, 'service'), ['routes', i, 'service'], serviceNames, written),
      ),
    () => routes.flatMap((route, i) => checkSplit(route, ['routes', i, 'split', 'services'], serviceNames)),
    () => routes.flatMap((route, i) => checkMirrors(route, ['routes', i, 'mirror'], serviceNames, written)),
    () => checkAsked(config, written, serviceNames, chain),
    () => checkStores(config, written, chain),
    () => routes.flatMap((route, i) => checkTemplates(route, matches[i], ['routes', i])),
    () => checkIds(routes),
    () => checkShadowed(config, matches),
    () => checkListeners(config, matches, parsed),
    () => checkAcme(config),
    () => checkSticky(config),
    () => checkProxyProtocol(config),
    () => (parsed === null ? [] : checkLogged(parsed, chain)),
  ]
  const findings = yield* checkMatches(routes, matches)
  for (const each of checks) {
    findings.push(...each())
    yield
  }
  return findings
}

function matchOf(route: unknown): Match | undefined {
  return lookAt(routeSchema.shape.match, fieldOf(route, 'match'))?.data
}

/** If no peer may send the header, no client can connect. */
function checkProxyProtocol(config: unknown): Finding[] {
  const proxies = fieldOf(config, 'trustedProxies')
  if (proxies !== undefined && !(Array.isArray(proxies) && proxies.length === 0)) return []
  return itemsOf(fieldOf(config, 'listeners')).flatMap((listener, i) => {
    if (fieldOf(listener, 'proxyProtocol') !== 'required') return []
    const message =
      'required, but trustedProxies is empty; add the addresses of the load balancers that send the header'
    return [{ path: ['listeners', i, 'proxyProtocol'], isKey: false, message }]
  })
}

/** Routes for a listener that does not exist. */
function checkListeners(
  config: unknown,
  matches: readonly (Match | undefined)[],
  parsed: GatewayConfig | null,
): Finding[] {
  const listeners = parsed?.listeners ?? lookAt(gatewaySchema.shape.listeners, fieldOf(config, 'listeners'))?.data
  if (listeners === undefined) return []
  const known = new Set(listeners.map(listenerName))
  return matches.flatMap((match, i) =>
    (match?.listener ?? []).flatMap((name, j): Finding[] => {
      if (known.has(name)) return []
      const isList = Array.isArray(fieldOf(fieldOf(itemsOf(fieldOf(config, 'routes'))[i], 'match'), 'listener'))
      const path: Path = ['routes', i, 'match', 'listener', ...(isList ? [j] : [])]
      return [{ path, isKey: false, message: `unknown listener ${JSON.stringify(name)}${hint(name, known)}` }]
    }),
  )
}

/** Redirects, rewrites and fixed replies may only use parameters that every path of their route has. */
function checkTemplates(route: unknown, match: Match | undefined, routeAt: Path): Finding[] {
  if (match === undefined) return []
  const patterns = match.path.map(parsePattern)
  const headers = valueAt(route, ['reply', 'headers'])
  const fields = isFields(headers) ? headers : {}
  const texts = Object.entries(fields).filter((field): field is [string, string] => typeof field[1] === 'string')
  const check = (path: Path, parse: (text: string) => void): Finding[] => {
    const text = valueAt(route, path)
    if (typeof text !== 'string') return []
    try {
      parse(text)
      return []
    } catch (error) {
      if (!(error instanceof PatternError)) throw error
      return [{ path: [...routeAt, ...path], isKey: false, message: `${JSON.stringify(text)} ${error.message}` }]
    }
  }
  return [
    ...check(['redirect', 'to'], (to) => parseRedirect(to, patterns)),
    ...check(['rewrite', 'path'], (path) => checkRewrite({ path }, patterns)),
    ...check(['rewrite', 'host'], (host) => checkRewrite({ host }, patterns)),
    ...Object.keys(fields).flatMap((name) =>
      check(['reply', 'headers', name], (value) => compileField(name, value, patterns)),
    ),
    ...check(['reply', 'body'], (body) => compileBody(body, contentTypeAmong(texts), patterns)),
  ]
}

/** State that is to be kept in Redis requires a Redis. */
function checkStores(config: unknown, written: Written, chain: readonly Policy[]): Finding[] {
  const redis = fieldOf(fieldOf(config, 'stores'), 'redis')
  if (isFields(redis) && fieldOf(redis, 'url') !== '') return []
  // An unset variable without a default has already been reported; do not report it twice.
  if (written(['stores', 'redis', 'url'])?.includes(':-') === false) return []
  return chain.flatMap((policy) =>
    (policy.stores ?? []).flatMap(({ path: steps, instead }) =>
      placesIn(config, [policy], () => [steps])
        .filter((path) => valueAt(config, path) === 'redis')
        .map((path) => {
          const message = `redis, but stores.redis is not configured; expected it there, or ${instead} here`
          return { path, isKey: false, message }
        }),
    ),
  )
}

function placesIn(config: unknown, chain: readonly Policy[], of: (policy: Policy) => readonly OptionsPath[]): Path[] {
  return optionPaths(chain, of).flatMap((place) => matching(config, place))
}

function valueAt(config: unknown, path: Path): unknown {
  return path.reduce<unknown>((parent, step) => at(parent, step), config)
}

function checkTarget(route: object, path: Path): Finding[] {
  const [first, second] = TARGETS.filter((target) => fieldOf(route, target) !== undefined)
  if (first === undefined)
    return [{ path, isKey: false, message: 'has no target; expected one of service, split, reply, redirect and files' }]
  const findings: Finding[] = []
  if (second !== undefined)
    findings.push({
      path: [...path, second],
      isKey: true,
      message: `${second} beside ${first}; expected only one of service, split, reply, redirect and files`,
    })
  for (const [key, targets] of Object.entries(FOR_TARGETS))
    if (!targets.includes(first) && fieldOf(route, key) !== undefined)
      findings.push({
        path: [...path, key],
        isKey: true,
        message: `${key} beside ${first}; expected it only beside ${targets.join(' or ')}`,
      })
  return findings
}

function checkService(name: unknown, path: Path, known: ReadonlySet<string>, written: Written): Finding[] {
  if (typeof name !== 'string' || known.has(name)) return []
  const shown = written(path)
  const advice = /^https?:/.test(shown ?? name)
    ? '; expected the name of one under services, whose instances have URLs'
    : hint(shown ?? name, [...known])
  const message = `unknown service ${JSON.stringify(shown ?? name)}${advice}`
  return [{ path, isKey: false, message }]
}

function checkSplit(route: unknown, path: Path, known: ReadonlySet<string>): Finding[] {
  const services = fieldOf(fieldOf(route, 'split'), 'services')
  return Object.keys(isFields(services) ? services : {}).flatMap((name): Finding[] => {
    if (known.has(name)) return []
    const message = `unknown service ${JSON.stringify(name)}${hint(name, [...known])}`
    return [{ path: [...path, name], isKey: true, message }]
  })
}

function checkMirrors(route: unknown, path: Path, known: ReadonlySet<string>, written: Written): Finding[] {
  const mirror = fieldOf(route, 'mirror')
  if (!Array.isArray(mirror)) return checkService(fieldOf(mirror, 'service'), [...path, 'service'], known, written)
  return mirror.flatMap((each, i) => checkService(fieldOf(each, 'service'), [...path, i, 'service'], known, written))
}

/** The services that policies call. */
function checkAsked(
  config: unknown,
  written: Written,
  known: ReadonlySet<string>,
  chain: readonly Policy[],
): Finding[] {
  return placesIn(config, chain, ({ services = [] }) => services).flatMap((path) =>
    checkService(valueAt(config, path), path, known, written),
  )
}

function checkIds(routes: readonly unknown[]): Finding[] {
  const owners = new Map<unknown, number>()
  return routes.flatMap((route, i) => {
    const id = fieldOf(route, 'id')
    const first = owners.get(id) ?? i
    owners.set(id, first)
    if (typeof id !== 'string' || first === i) return []
    return [
      { path: ['routes', i, 'id'], isKey: false, message: `the same ID as routes[${first}]; expected a unique one` },
    ]
  })
}

/** Two matches are the same if host, path pattern, methods, headers and query are equal, apart from parameter names. */
function* checkMatches(routes: readonly unknown[], matches: readonly (Match | undefined)[]): SlicedWork<Finding[]> {
  const owners = new Map<string, Path>()
  const findings: Finding[] = []
  for (const [i, route] of routes.entries()) {
    const match = matches[i]
    if (match === undefined) continue
    const isList = Array.isArray(fieldOf(fieldOf(route, 'match'), 'path'))
    for (const [j, pattern] of match.path.entries()) {
      const path: Path = ['routes', i, 'match', 'path', ...(isList ? [j] : [])]
      const keys = matchKeys({ ...match, path: [pattern] })
      const owner = keys.map((key) => owners.get(key)).find((found) => found !== undefined)
      for (const key of keys) owners.set(key, owners.get(key) ?? path)
      if (owner === undefined) continue
      const message = `matches the same requests as ${formatPath(owner)}; expected another path, host, method, headers or query`
      findings.push({ path, isKey: false, message })
    }
    yield
  }
  return findings
}
