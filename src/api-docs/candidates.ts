import { STATUS_CODES } from 'node:http'
import { mainService } from '../config/route-services.ts'
import type { SlicedWork } from '../core/time-slices.ts'
import type { DocsObject } from '../policies/policy-docs.ts'
import type { OperationDocs } from './operations.ts'
import { type RoutePath, isConditional, type Place, type Places } from './places.ts'
import { type Method, methods, type ServiceApi } from './service-api.ts'

/** An operation that may be shown in the document. */
export interface Candidate {
  readonly place: Place
  readonly method: Method
  readonly docs: OperationDocs
  /** The service's own Security Requirement Objects. */
  readonly security: readonly DocsObject[]
}

/** The assumed methods of routes without a document. */
const USUAL: readonly Method[] = ['get', 'post', 'put', 'patch', 'delete']

/**
 * All operations of the routes, as `described` by policies or by services. Operations that may share their path and method with
 * another one come last.
 */
export function* candidatesOf(
  places: Places,
  apis: ReadonlyMap<string, ServiceApi>,
  described: ReadonlyMap<string, ServiceApi>,
  moves: (place: Place, method: Method) => boolean,
): SlicedWork<Candidate[]> {
  const all: Candidate[] = [...described.values()].flatMap(({ operations }) => operations)
  for (const operation of [...apis.values()].flatMap(({ operations }) => operations)) {
    if (!moves(operation.place, operation.method)) all.push(operation)
    yield
  }
  const known = new Set(all.map(({ place }) => place.routePath))
  for (const routePath of places.routePaths) {
    if (known.has(routePath)) continue
    const service = mainService(routePath.route)
    const hasDocument = service !== null && apis.has(service)
    const generic = genericOf(routePath, places)
    all.push(...(hasDocument ? generic.filter(({ place, method }) => moves(place, method)) : generic))
    yield
  }
  return [
    ...all.filter(({ place }) => !isConditional(place.routePath)),
    ...all.filter(({ place }) => isConditional(place.routePath)),
  ]
}

function genericOf(routePath: RoutePath, places: Places): Candidate[] {
  const { match, reply } = routePath.route
  // What is refused everywhere does not exist for clients.
  if (reply !== undefined && reply.status >= 400) return []
  const wanted = match.method?.map((method) => method.toLowerCase())
  const assumed = mainService(routePath.route) === null ? USUAL.slice(0, 1) : USUAL
  return methods
    .filter((method) => (wanted ?? assumed).includes(method))
    .flatMap((method) => {
      const place = places.whole(routePath, method.toUpperCase())
      return place === null ? [] : [{ place, method, docs: genericDocs(routePath, method), security: [] }]
    })
}

function genericDocs({ route, pattern }: RoutePath, method: Method): OperationDocs {
  const { service, reply, redirect, files } = route
  const below = pattern.isPrefix ? ' Stands for every path below it, and for the path without it.' : ''
  if (reply !== undefined) {
    const type = Object.entries(reply.headers).find(([name]) => name.toLowerCase() === 'content-type')?.[1]
    const content = type === undefined || reply.body === '' ? {} : { content: { [type]: { example: reply.body } } }
    const answer = { description: STATUS_CODES[reply.status] ?? 'A fixed reply', ...content }
    return docsOf(route.id, `Fixed reply.${below}`, { [reply.status]: answer })
  }
  if (redirect !== undefined) {
    const schema = { type: 'string', const: redirect.to }
    const headers = { Location: { description: 'Where it redirects to.', schema } }
    const answer = { description: STATUS_CODES[redirect.status] ?? 'A redirect', headers }
    return docsOf(route.id, `Redirects to ${redirect.to}.${below}`, { [redirect.status]: answer })
  }
  if (files !== undefined) {
    const answers = { 200: { description: 'The file.' }, 404: { description: 'There is no such file.' } }
    return docsOf(route.id, `A file.${below}`, answers)
  }
  const answer = { description: 'The reply of the service.' }
  const docs = docsOf('', `Forwarded to ${service}, which does not describe it.${below}`, { '2XX': answer })
  return ['post', 'put', 'patch'].includes(method) ? { ...docs, requestBody: { content: { '*/*': {} } } } : docs
}

function docsOf(id: string, description: string, responses: Record<string, DocsObject>): OperationDocs {
  return { id, texts: { description }, parameters: [], requestBody: undefined, responses }
}
