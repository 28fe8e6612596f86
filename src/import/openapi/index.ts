import { METHODS } from 'node:http'
import { parseInstanceUrl } from '../../config/addresses.ts'
import { fieldOf, type Fields, isFields, itemsOf } from '../../core/value.ts'
import { refusalOfPattern } from '../../regexp/linear.ts'
import { matchKeys } from '../../routing/match.ts'
import { commentedYaml, Comments } from '../commented.ts'
import { ImportError } from '../import-error.ts'
import type { Imported } from '../imported.ts'
import { Names } from '../names.ts'
import { endpointNotes, endpointsFor } from '../own-endpoints.ts'
import { textOf } from '../read.ts'
import { Entry, type ImportVariable } from '../report.ts'
import { readSourceTree, type SourceTree } from '../source-tree.ts'
import { mark } from '../variables.ts'
import { type Requirement, Security } from './security.ts'
import { importTemplate } from './template.ts'

/** Options of an import apart from the document. */
export interface OpenApiOptions {
  /** Path of the document, as the configuration refers to it. */
  readonly document: string
  /** The service: its name, and its URL without a path; null to take it from the document. */
  readonly service: { readonly name: string; readonly url: string } | null
}

const SCHEMA = '# yaml-language-server: $schema=./node_modules/sallyport/sallyport.schema.json'

/** Methods that a path of a document may have. */
const OPERATIONS: ReadonlySet<string> = new Set([
  'get',
  'put',
  'post',
  'delete',
  'options',
  'head',
  'patch',
  'trace',
  'query',
])
const NOT_OFFERED = new Set(['TRACE'])

interface Operation {
  readonly path: string
  readonly method: string
  readonly value: unknown
  readonly entry: Entry
  readonly requirement: Requirement
}

/**
 * Makes a configuration from an OpenAPI 3 document: one route for each path and set of security requirements, and validation by the
 * document. `file` is its name, for messages. Throws ImportError.
 */
export function importOpenApi(text: string, file: string, options: OpenApiOptions): Imported {
  const tree = readSourceTree(text, file)
  checkVersion(tree.value, file)
  const comments = new Comments()
  const variables = new Map<string, ImportVariable>()
  const security = new Security(tree, (name, what, { position }) => {
    if (!variables.has(name)) variables.set(name, { name, what, position })
    return mark(name)
  })
  const servers = serversOf(tree)
  const [server] = servers
  const base = server?.base ?? ''
  const operations = operationsOf(tree, security)
  const hooks = hooksOf(tree)
  const name = options.service?.name ?? 'api'
  const used = new Set(operations.flatMap(({ requirement }) => requirement.methods))
  const methods = security.optionsOf(used, comments)
  const routes = routesOf(operations, base, name, methods, comments)
  const endpoints = endpointsFor(routes.map(({ pattern }) => pattern))

  const services: Record<string, unknown> = {}
  services[name] = { instances: [instanceOf(options, server)], health: false, openapi: false }
  comments.add(services, name, 'No health checks: set health to a path of the service that tells whether it is up.')
  if (options.service === null)
    comments.add(
      services,
      name,
      'Where the API runs. The server in the document is where clients reach it, which may become this gateway: set API_URL.',
    )
  const config = {
    listeners: [{ address: '0.0.0.0:8000' }],
    ...endpoints,
    services,
    policies: {
      ...(used.size > 0 && { auth: { methods } }),
      validation: {
        openapi: { document: options.document, basePath: base === '' ? '/' : base },
        ...(hasUnusablePattern(tree.value) && { unusablePatterns: 'skip' }),
      },
    },
    routes: routes.map(({ route }) => route),
  }
  for (const [i, { notes }] of routes.entries()) for (const note of notes) comments.add(config.routes, i, note)
  const title = textOf(fieldOf(fieldOf(tree.value, 'info'), 'title')) ?? 'an API'
  const head = [
    `Converted from ${title} (${file.replace(/^.*[\\/]/, '')}) by sallyport import openapi. Requests are validated against the document.`,
  ]
  const moved = endpoints['endpoints']
  return {
    yaml: `${SCHEMA}\n\n${commentedYaml(config, comments, head)}`,
    report: {
      source: file,
      entries: [
        ...servers.map(({ entry }) => entry),
        ...security.report(),
        ...operations.map(({ entry }) => entry),
        ...hooks,
      ],
      variables: [...variables.values()],
      notes: isFields(moved) ? endpointNotes(moved) : [],
    },
  }
}

function checkVersion(value: unknown, file: string): void {
  const version = textOf(fieldOf(value, 'openapi'))
  if (version !== undefined && /^3\.[012]/.test(version)) return
  const older = textOf(fieldOf(value, 'swagger'))
  if (older !== undefined) throw new ImportError(`${file}: is Swagger ${older}: convert it to OpenAPI 3 first.`)
  throw new ImportError(`${file}: is not an OpenAPI document: expected openapi "3.0.x" or "3.1.x".`)
}

interface Server {
  readonly entry: Entry
  /** Scheme, host and port; null for a relative URL. */
  readonly origin: string | null
  /** The path, without a trailing slash. */
  readonly base: string
}

/** The first one counts; a document without servers is served at the root. */
function serversOf(tree: SourceTree): Server[] {
  return itemsOf(fieldOf(tree.value, 'servers')).map((server, i) => {
    const written = textOf(fieldOf(server, 'url')) ?? '/'
    const entry = new Entry('server', written.replace(/\/\/[^/@]*@/, '//'), tree.positionOf(server))
    const url = written.replaceAll(/\{([^{}]+)\}/g, (_, name: string) => {
      const preset = textOf(fieldOf(fieldOf(fieldOf(server, 'variables'), name), 'default')) ?? name
      entry.tell('different', `{${name}} was replaced by its default, ${preset}.`)
      return preset
    })
    const [, origin = null, path = ''] = /^(?:(https?:\/\/[^/?#]*))?([^?#]*)/i.exec(url) ?? []
    const base = path.replace(/\/+$/, '')
    if (i > 0)
      entry.tell(
        'left out',
        'Only the first server was imported: add instances to the service, or routes by host, for others.',
      )
    if (i === 0 && origin !== null && parseInstanceUrl(origin) === undefined)
      entry.tell('different', 'It has no valid address: use --service.')
    const isPath = /^(?:\/[A-Za-z0-9._~-]+)*$/.test(base)
    if (!isPath) entry.tell('different', `Its path ${path} was left out.`)
    return {
      entry,
      origin: origin !== null && parseInstanceUrl(origin) !== undefined ? origin : null,
      base: isPath ? base : '',
    }
  })
}

function instanceOf({ service }: OpenApiOptions, server: Server | undefined): string {
  if (service !== null) return service.url
  return mark('API_URL', server?.origin ?? 'http://127.0.0.1:8080')
}

function operationsOf(tree: SourceTree, security: Security): Operation[] {
  const paths = fieldOf(tree.value, 'paths')
  return Object.entries(isFields(paths) ? paths : {}).flatMap(([path, item]) => {
    if (!path.startsWith('/')) return []
    return Object.entries(isFields(item) ? item : {}).flatMap(([key, value]): Operation[] => {
      if (!OPERATIONS.has(key.toLowerCase())) return []
      const method = key.toUpperCase()
      const entry = new Entry('operation', `${method} ${path}`, tree.positionOf(isFields(value) ? value : item))
      if (Array.isArray(fieldOf(value, 'servers')) || Array.isArray(fieldOf(item, 'servers')))
        entry.tell('different', 'Its own servers were left out: give it its own service.')
      return [{ path, method, value, entry, requirement: security.requirementOf(value, entry) }]
    })
  })
}

/** Requests that the service itself sends. */
function hooksOf(tree: SourceTree): Entry[] {
  const hooks = fieldOf(tree.value, 'webhooks')
  return Object.entries(isFields(hooks) ? hooks : {}).map(([name, hook]) => {
    const entry = new Entry('webhook', name, tree.positionOf(hook))
    entry.tell('left out', 'Webhooks are sent by the service, not received.')
    return entry
  })
}

interface WrittenRoute {
  readonly pattern: string
  readonly route: Fields
  readonly notes: readonly string[]
}

/** One route for each path and set of security requirements. */
function routesOf(
  operations: readonly Operation[],
  base: string,
  service: string,
  methods: Fields,
  comments: Comments,
): WrittenRoute[] {
  const names = new Names()
  const owners = new Map<string, string>()
  const methodNames = Object.keys(methods).toSorted()
  const groups = Map.groupBy(operations, ({ path, requirement }) => JSON.stringify([path, requirement]))
  return [...groups.values()].flatMap((group): WrittenRoute[] => {
    const usable = group.filter((operation) => isOffered(operation))
    const [first] = usable
    const template = first === undefined ? null : importTemplate(first.path, base)
    if (first === undefined || template === null) {
      for (const { entry } of usable) entry.tell('left out', 'A route cannot have this path: see docs/routing.md.')
      return []
    }
    const { pattern, pathRegex } = template
    const free = usable.filter(({ method, entry }) => {
      const match = { path: [pattern], method: [method], ...(pathRegex !== null && { pathRegex }) }
      const keys = matchKeys(match)
      const owner = keys.map((key) => owners.get(key)).find((found) => found !== undefined)
      for (const key of keys) owners.set(key, owner ?? entry.name)
      if (owner !== undefined) entry.tell('left out', `${owner} takes the same requests.`)
      return owner === undefined
    })
    if (free.length === 0) return []
    const own = free.map(({ method }) => method)
    const id = free.length === 1 ? textOf(fieldOf(first.value, 'operationId')) : undefined
    const route = {
      id: names.take(id ?? first.path.replaceAll(/[{}]/g, ''), 'root'),
      match: {
        path: pattern,
        ...(pathRegex !== null && { pathRegex }),
        method: own.length === 1 ? own[0] : own,
      },
      service,
      ...policiesOf(first.requirement, methodNames, pattern, methods, comments),
    }
    return [{ pattern, route, notes: free.flatMap(({ entry }) => (entry.fidelity === 'exact' ? [] : entry.notes)) }]
  })
}

function isOffered({ method, entry }: Operation): boolean {
  if (METHODS.includes(method) && !NOT_OFFERED.has(method)) return true
  entry.tell('left out', `Requests with the method ${method} are always refused.`)
  return false
}

/** How a route deviates from the policies for every route. */
function policiesOf(
  requirement: Requirement,
  methodNames: readonly string[],
  pattern: string,
  methods: Fields,
  comments: Comments,
): Fields {
  const { isClosed, isPublic, scopes, methods: own } = requirement
  if (isClosed) {
    const policies = { ...(methodNames.length > 0 && { auth: false }), 'ip-access': { deny: ['0.0.0.0/0', '::/0'] } }
    comments.add(
      policies,
      'ip-access',
      'All requests are refused, because the security schemes of the document are not supported.',
    )
    return { policies }
  }
  if (own.length === 0) return methodNames.length > 0 ? { policies: { auth: false } } : {}
  const chosen = Object.fromEntries(own.map((name) => [name, methods[name]]))
  const auth = {
    ...(own.length < methodNames.length && { methods: chosen }),
    ...(isPublic && { public: [pattern] }),
    ...(scopes.length > 0 && { require: { scopes } }),
  }
  return Object.keys(auth).length === 0 ? {} : { policies: { auth } }
}

/** Whether some pattern of a schema cannot be matched in linear time. */
function hasUnusablePattern(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const pattern = fieldOf(value, 'pattern')
  if (typeof pattern === 'string' && refusalOfPattern(pattern) !== null) return true
  return Object.values(value).some(hasUnusablePattern)
}
