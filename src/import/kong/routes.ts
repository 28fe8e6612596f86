import { fieldOf, type Fields, isFields, itemsOf } from '../../core/value.ts'
import { isNetwork } from '../../core/network-list.ts'
import { matchKeys } from '../../routing/match.ts'
import { flagOf, textOf, textsOf } from '../read.ts'
import type { Names } from '../names.ts'
import type { Context } from './context.ts'
import type { Entity } from './entities.ts'
import { matchOf } from './match.ts'
import { importPath, type ImportedPath } from './paths.ts'
import type { KongService } from './services.ts'

/** A route of the configuration that is made from a Kong route or a part of it. */
export interface ImportedRoute {
  readonly entity: Entity
  readonly id: string
  readonly match: Fields
  readonly paths: readonly ImportedPath[]
  /** Null if it leads only to a reply of a plugin. */
  readonly service: KongService | null
  readonly rewrite: Fields | null
  /** Whether the client's Host is sent to the service. */
  readonly preservesHost: boolean
  /** Addresses whose requests it accepts, as in `sources`; empty for all. */
  readonly sources: readonly string[]
}

/** An address that no client has. */
const NOBODY = '255.255.255.255'

/** State shared while routes are made. */
export interface RouteTools {
  readonly context: Context
  readonly names: Names
  /** Matches in use, and the routes that use them. */
  readonly owners: Map<string, string>
}

/** The routes that a Kong route becomes: one for each rewrite that its paths need. Empty if it is left out, which is reported. */
export function routesOf(entity: Entity, service: KongService | null, tools: RouteTools): ImportedRoute[] {
  const { entry, fields } = entity
  const match = matchOf(entity)
  if (match === null) return []
  if (textOf(fields['path_handling']) === 'v1')
    entry.tell('different', 'path_handling v1 joins paths differently in some cases: see rewrite in docs/routing.md.')
  const written = textsOf(fields['paths'])
  const tell: Parameters<typeof importPath>[2] = (fidelity, note) =>
    entry.tell(fidelity === 'left out' && written.length > 1 ? 'narrower' : fidelity, note)
  const paths = (written.length === 0 ? ['/'] : written).flatMap(
    (path) => importPath(path, tools.context.guessesRegex, tell) ?? [],
  )
  if (paths.length === 0) return []
  const strips = (flagOf(fields['strip_path']) ?? true) && written.length > 0
  const groups = Map.groupBy(paths, (path) => JSON.stringify([path.pathRegex, rewriteOf(path, strips, service)]))
  const routes = [...groups.values()].flatMap((group) => routeOf(entity, service, match, group, strips, tools) ?? [])
  if (routes.length === 0)
    entry.tell('left out', 'Another route already takes all requests of this one: change the match of one of them.')
  return routes
}

function routeOf(
  entity: Entity,
  service: KongService | null,
  match: Fields,
  group: readonly ImportedPath[],
  strips: boolean,
  { names, owners }: RouteTools,
): ImportedRoute | null {
  const { entry, fields } = entity
  const pathRegex = group[0]?.pathRegex ?? null
  const conditions = { ...match, ...(pathRegex !== null && { pathRegex }) }
  const free = group.filter(({ pattern, written }) => {
    const keys = keysOf(conditions, pattern)
    const owner = keys.map((key) => owners.get(key)).find((found) => found !== undefined)
    if (owner === undefined) {
      for (const key of keys) owners.set(key, entry.name)
      return true
    }
    if (owner !== entry.name)
      entry.tell(
        'narrower',
        `The path ${written} was left out: the route ${owner} matches the same requests. Kong uses only one of them, too.`,
      )
    return false
  })
  if (free.length === 0) return null
  const wanted = entry.name !== '' ? entry.name : `${service?.name ?? 'route'}-route`
  const patterns = free.map(({ pattern }) => pattern)
  const rewrite = rewriteOf(free[0], strips, service, free.length > 1)
  if (strips && free.some((path) => path.strips === null))
    entry.tell(
      'different',
      'Kong strips what the regular expression matched. Here the service gets the whole path: see rewrite in docs/routing.md.',
    )
  return {
    entity,
    id: names.take(wanted, 'route'),
    match: { path: patterns.length === 1 ? patterns[0] : patterns, ...conditions },
    paths: free,
    service,
    rewrite,
    preservesHost: flagOf(fields['preserve_host']) ?? false,
    sources: sourcesOf(entity),
  }
}

/** How the path sent to the service differs from that of the request; null if it does not. */
function rewriteOf(
  path: ImportedPath | undefined,
  strips: boolean,
  service: KongService | null,
  isOneOfSeveral = true,
): Fields | null {
  const base = service?.base ?? ''
  if (path === undefined || service === null) return null
  if (!strips || path.strips === null || path.prefix === '')
    return base === '' ? null : { path: `${escapedBase(base)}{path}` }
  if (path.strips === 'all') return { path: base === '' ? '/' : escapedBase(base) }
  if (base === '' && path.prefix !== null && !isOneOfSeveral) return { strip: path.prefix }
  return { path: `${escapedBase(base)}/*` }
}

/** Escapes braces, which mark parameters. */
function escapedBase(base: string): string {
  return base.replaceAll('{', '%7B').replaceAll('}', '%7D').replaceAll('*', '%2A')
}

function sourcesOf({ entry, fields }: Entity): readonly string[] {
  const sources = itemsOf(fields['sources'])
  if (sources.length === 0) return []
  const networks = sources.flatMap((source) => {
    const ip = textOf(fieldOf(source, 'ip'))
    return ip !== undefined && isNetwork(ip) ? [ip] : []
  })
  entry.tell('different', 'sources became ip-access: clients from other addresses get 403 instead of another route.')
  if (networks.length < sources.length) entry.tell('narrower', 'Sources without an IP address were left out.')
  return networks.length === 0 ? [NOBODY] : networks
}

function keysOf(match: Fields, pattern: string): string[] {
  const headers = fieldOf(match, 'headers')
  return matchKeys({
    path: [pattern],
    ...(match['host'] !== undefined && { host: textsOf(match['host']) }),
    ...(match['method'] !== undefined && { method: textsOf(match['method']) }),
    ...(typeof match['pathRegex'] === 'string' && { pathRegex: match['pathRegex'] }),
    ...(headers !== undefined && { headers: headersOf(headers) }),
  })
}

type HeaderMatch = string | true | string[] | { regex: string }

function headersOf(headers: unknown): Record<string, HeaderMatch> {
  return Object.fromEntries(
    Object.entries(isFields(headers) ? headers : {}).map(([name, value]): [string, HeaderMatch] => {
      const regex = textOf(fieldOf(value, 'regex'))
      if (regex !== undefined) return [name, { regex }]
      if (value === true) return [name, true]
      const texts = textsOf(value)
      return [name, texts.length === 1 ? (texts[0] ?? '') : texts]
    }),
  )
}
