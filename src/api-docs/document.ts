import { mainService } from '../config/route-services.ts'
import type { GatewayConfig } from '../config/schema.ts'
import type { SlicedWork } from '../core/time-slices.ts'
import type { DocsObject, ParameterDocs as LookedAt } from '../policies/policy-docs.ts'
import type { Policy } from '../policies/policy.ts'
import { type Candidate, candidatesOf } from './candidates.ts'
import { bodyRefusals, GatewayReplies, problemSchema, serviceRefusals } from './gateway-replies.ts'
import type { ParameterDocs } from './operations.ts'
import type { RoutePath, Place, Places } from './places.ts'
import { documentPolicies, type AllPoliciesDocs } from './route-policies.ts'
import { both } from './described.ts'
import { firstFree } from './names.ts'
import { nameSchemas, PROBLEM } from './schema-names.ts'
import { NamedSchema } from './schemas.ts'
import type { Method, ServiceApi } from './service-api.ts'
import { ComponentSet } from './component-set.ts'
import type { ValueMatch } from '../routing/match.ts'
import { keyOf, parametersOf, type Template, textOf } from './template.ts'

/** The gateway's own operations at a path, by method. */
export interface OwnPath {
  readonly path: string
  /** A Path Item Object. */
  readonly item: DocsObject
}

export interface DocumentSources {
  readonly docs: GatewayConfig['docs']
  readonly services: readonly string[]
  readonly places: Places
  /** All policies that routes may have, in the order of the chain. */
  readonly policies: readonly Policy[]
  /** What services say about themselves, and what policies say about them. */
  readonly apis: ReadonlyMap<string, ServiceApi>
  readonly described: ReadonlyMap<string, ServiceApi>
  readonly own: readonly OwnPath[]
}

/** The tag of the gateway's own operations. */
const GATEWAY = 'gateway'

interface PathItem {
  readonly template: Template
  readonly operations: Map<string, DocsObject>
}

/**
 * The text, as bytes, of the OpenAPI 3.1 document of everything that clients can reach.
 *
 * 1. Of operations with the same path and method the first one is shown.
 * 2. Each is described together with the policies of its route.
 * 3. Schemas are named when the text is written.
 */
export function* apiDocument(sources: DocumentSources): SlicedWork<Buffer> {
  const { docs, places, policies, own, services } = sources
  const apis = new Map(sources.apis)
  for (const [service, api] of sources.described) {
    const existing = apis.get(service)
    apis.set(service, existing === undefined ? api : both(existing, api))
  }
  const names = yield* nameSchemas(apis)
  const writer = new Writer(apis)
  const paths = new Map<string, PathItem>()
  const notesOf = (place: Place, method: Method): AllPoliciesDocs => documentPolicies(place, method, policies)
  const candidates = yield* candidatesOf(
    places,
    sources.apis,
    sources.described,
    (place, method) => notesOf(place, method).moves,
  )
  // 1.
  for (const candidate of candidates) {
    const { place, method } = candidate
    const key = keyOf(place.template)
    const item = paths.get(key) ?? { template: place.template, operations: new Map<string, DocsObject>() }
    paths.set(key, item)
    if (item.operations.has(method)) continue
    // 2.
    item.operations.set(method, writer.operation(candidate, item.template, notesOf(place, method)))
    yield
  }
  const used = new Set(candidates.map(({ place }) => tagOf(place.routePath)))
  const beginning = {
    openapi: '3.1.0',
    info: {
      title: docs.title,
      version: docs.version,
      ...(docs.description !== '' && { description: docs.description }),
    },
    servers: [{ url: '/' }],
    tags: [...services, GATEWAY]
      .filter((name) => used.has(name) || (name === GATEWAY && own.length > 0))
      .map((name) => tag(name, apis.get(name))),
  }
  const items = withOwn(
    Object.fromEntries([...paths.values()].map(pathItem)),
    own.filter(({ path }) => places.isOwn(path)),
  )
  const schemas = Object.fromEntries<unknown>([
    ...[...names].map(([{ schema }, name]) => [name, schema] as const),
    [PROBLEM, problemSchema],
  ])
  // 3.
  const write = (each: unknown): string =>
    JSON.stringify(each, (_, value: unknown) =>
      value instanceof NamedSchema ? `#/components/schemas/${names.get(value)}` : value,
    )
  const pieces = [Buffer.from(`${write(beginning).slice(0, -1)},"paths":{`)]
  yield* writeMembers(items, write, pieces)
  pieces.push(Buffer.from('},"components":{"schemas":{'))
  yield* writeMembers(schemas, write, pieces)
  const others = Object.entries(writer.components).map(([name, value]) => `,${JSON.stringify(name)}:${write(value)}`)
  pieces.push(Buffer.from(`}${others.join('')}}}`))
  return Buffer.concat(pieces)
}

/** The members of a map, each written in a separate step. */
function* writeMembers(map: DocsObject, write: (value: unknown) => string, pieces: Buffer[]): SlicedWork {
  let separator = ''
  for (const [name, value] of Object.entries(map)) {
    pieces.push(Buffer.from(`${separator}${JSON.stringify(name)}:${write(value)}`))
    separator = ','
    yield
  }
}

/** Writes operations, and collects the components that they refer to. */
class Writer {
  private readonly apis: ReadonlyMap<string, ServiceApi>
  private readonly responses = new ComponentSet('responses')
  private readonly headers = new ComponentSet('headers')
  private readonly schemes = new ComponentSet('securitySchemes')
  private readonly replies = new GatewayReplies(this.responses, this.headers)
  private readonly ids = new Set<string>()

  constructor(apis: ReadonlyMap<string, ServiceApi>) {
    this.apis = apis
  }

  get components(): DocsObject {
    return { ...this.responses.component, ...this.headers.component, ...this.schemes.component }
  }

  operation(candidate: Candidate, shown: Template, notes: AllPoliciesDocs): DocsObject {
    const { place, docs } = candidate
    const { routePath } = place
    const description = [docs.texts['description'], ...remarks(routePath, notes)].filter(
      (text) => typeof text === 'string',
    )
    const parameters = [
      ...pathParameters(place.template, shown, docs.parameters),
      ...otherParameters(routePath, docs.parameters, notes.parameters),
    ]
    const refusals = [
      ...notes.refusals,
      ...(docs.requestBody === undefined ? [] : bodyRefusals),
      ...(mainService(routePath.route) === null ? [] : serviceRefusals),
    ]
    const security = this.security(candidate, notes)
    return {
      tags: [tagOf(routePath)],
      ...docs.texts,
      ...(description.length > 0 && { description: description.join('\n\n') }),
      operationId: this.id(candidate),
      ...(parameters.length > 0 && { parameters }),
      ...(docs.requestBody && { requestBody: docs.requestBody }),
      responses: this.replies.around(docs.responses, refusals, notes.fields),
      ...(security && { security }),
    }
  }

  /** The service's own id if it is unique, otherwise prefixed by the name of the service. */
  private id({ place, method, docs }: Candidate): string {
    const path = textOf(place.template)
      .replace(/[^\w]+/g, '-')
      .replace(/-$/, '')
    const wish = docs.id.replace(/[^\w.-]+/g, '-') || `${method}${path}`
    const service = mainService(place.routePath.route) ?? undefined
    const id = this.ids.has(wish) && service !== undefined ? `${service}.${wish}` : wish
    const free = firstFree(id, this.ids)
    this.ids.add(free)
    return free
  }

  /** One of the proofs accepted by the policies, repeated for each role, or what the service itself requires. */
  private security({ place, security }: Candidate, { proofs, roles, scopes }: AllPoliciesDocs) {
    if (proofs !== null) {
      const alternatives = roles.length === 0 ? [scopes] : roles.map((role) => [role, ...scopes])
      return proofs.flatMap(({ name, scheme }) => {
        const known = this.schemes.nameOf(name, scheme)
        return alternatives.map((needed) => ({ [known]: needed }))
      })
    }
    const schemes = this.apis.get(mainService(place.routePath.route) ?? '')?.schemes ?? new Map<string, DocsObject>()
    const usable = security.filter((requirement) => Object.keys(requirement).every((name) => schemes.has(name)))
    if (usable.length === 0) return undefined
    return usable.map((requirement) =>
      Object.fromEntries(
        Object.entries(requirement).map(([name, needed]) => [
          this.schemes.nameOf(name, schemes.get(name) ?? {}),
          needed,
        ]),
      ),
    )
  }
}

function pathItem({ template, operations }: PathItem) {
  return [textOf(template), Object.fromEntries(operations)] as const
}

/** Adds the gateway's own operations to those of services at the same paths. */
function withOwn(paths: Record<string, DocsObject>, own: readonly OwnPath[]): Record<string, DocsObject> {
  return { ...paths, ...Object.fromEntries(own.map(({ path, item }) => [path, { ...paths[path], ...item }])) }
}

function tagOf({ route }: RoutePath): string {
  return mainService(route) ?? GATEWAY
}

function tag(name: string, api: ServiceApi | undefined): DocsObject {
  const texts = name === GATEWAY ? ['A reply of the gateway itself.'] : [api?.title, api?.description]
  const description = texts.filter((text) => text !== undefined && text !== '').join(': ')
  return { name, ...(description !== '' && { description }) }
}

/** What can only be expressed in prose. */
function remarks({ route }: RoutePath, { roles, scopes }: AllPoliciesDocs): string[] {
  const { host = [], listener = [], pathRegex } = route.match
  return [
    ...(roles.length > 0 ? [`Needs ${roles.length === 1 ? 'the role' : 'one of the roles'} ${roles.join(', ')}.`] : []),
    ...(scopes.length > 0 ? [`Needs the ${scopes.length === 1 ? 'scope' : 'scopes'} ${scopes.join(', ')}.`] : []),
    ...(pathRegex === undefined ? [] : [`Only paths that match \`${pathRegex}\`.`]),
    ...(listener.length > 0
      ? [`Only on the ${listener.length === 1 ? 'listener' : 'listeners'} ${listener.join(', ')}.`]
      : []),
    ...(host.length > 0 ? [`Only for the ${host.length === 1 ? 'host' : 'hosts'} ${host.join(', ')}.`] : []),
  ]
}

/** All parameters of the path have to be described, under the names that are shown. */
function pathParameters(template: Template, shown: Template, parameters: readonly ParameterDocs[]): DocsObject[] {
  const names = parametersOf(shown)
  return parametersOf(template).map((written, i) => {
    const known = parameters.find((parameter) => parameter.in === 'path' && parameter.name === written)
    return Object.assign({}, known ?? { in: 'path', required: true, schema: { type: 'string' } }, { name: names[i] })
  })
}

/** Other parameters: those of the service, headers and query parameters required by the route, and headers read by policies. */
function otherParameters(
  { route }: RoutePath,
  parameters: readonly ParameterDocs[],
  lookedAt: readonly LookedAt[],
): DocsObject[] {
  const wanted = (['header', 'query'] as const).flatMap((place) =>
    Object.entries((place === 'header' ? route.match.headers : route.match.query) ?? {}).map(([name, value]) => {
      return { name, in: place, required: true, schema: { type: 'string', ...described(value) } }
    }),
  )
  const others = parameters.filter(
    ({ in: place, name }) => place !== 'path' && !wanted.some((each) => each.in === place && each.name === name),
  )
  const known = new Set(
    [...others, ...wanted].filter((each) => each.in === 'header').map((each) => each.name.toLowerCase()),
  )
  const added = lookedAt.filter(({ name }) => !known.has(name.toLowerCase())).map(parameterOf)
  return [...others, ...wanted, ...added]
}

/** The JSON Schema of a value required by a route. */
function described(value: ValueMatch): DocsObject {
  if (value === true) return {}
  if (typeof value === 'string') return { const: value }
  return 'regex' in value ? { pattern: `^(?:${value.regex})$` } : { enum: value }
}

function parameterOf({ name, description, example, required, longest }: LookedAt): DocsObject {
  const schema = { type: 'string', minLength: 1, maxLength: longest }
  return { name, in: 'header', description, required, schema, example }
}
