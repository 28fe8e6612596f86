import type { SlicedWork } from '../core/time-slices.ts'
import { fieldOf, isFields, itemsOf } from '../core/value.ts'
import type { DocsObject } from '../policies/policy-docs.ts'
import { basePathOf, operationsOf } from '../openapi/operations.ts'
import { BrokenDocument } from './broken.ts'
import { type OperationDocs, Operations } from './operations.ts'
import type { Place, Places } from './places.ts'
import { NamedSchema } from './schemas.ts'
import { Source } from './source.ts'

/** The methods of a Path Item Object (OpenAPI 3.1.1 section 4.8.9), in the order in which they are shown. */
export const methods = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options', 'trace'] as const

export type Method = (typeof methods)[number]

/** An operation of a service that clients can reach. */
export interface ServiceOperation {
  readonly place: Place
  readonly method: Method
  readonly docs: OperationDocs
  /** The service's own Security Requirement Objects, for routes on which the gateway requires no authentication. */
  readonly security: readonly DocsObject[]
}

/** The part of a service's document about what clients can reach. */
export interface ServiceApi {
  readonly title: string
  readonly description: string
  readonly operations: readonly ServiceOperation[]
  readonly schemas: readonly NamedSchema[]
  /** Security Scheme Objects by name. */
  readonly schemes: ReadonlyMap<string, DocsObject>
}

const MAX_OPERATIONS = 5000
/** Most characters of all operations together as shown: components used by several of them are counted for each. */
const MAX_TEXT = 16 * 1024 ** 2

/** Reads the text of a service's OpenAPI 3 document, as far as routes expose it. Throws BrokenDocument. */
export function* readServiceApi(text: string, service: string, places: Places): SlicedWork<ServiceApi> {
  const root = parse(text)
  const version = fieldOf(root, 'openapi')
  if (typeof version !== 'string' || !version.startsWith('3.'))
    throw new BrokenDocument('is not an OpenAPI 3 document: "openapi" is missing or has another version')
  const source = new Source(root)
  const operations = new Operations(source)
  const found: ServiceOperation[] = []
  const base = basePathOf(root)
  let seen = 0
  let shown = 0
  for (const [path, value] of entriesOf(fieldOf(root, 'paths'))) {
    const item = source.object(value)
    for (const [method, operation] of operationsOf(item, methods)) {
      yield
      if (++seen > MAX_OPERATIONS) throw new BrokenDocument(`has more than ${MAX_OPERATIONS} operations`)
      const based = base === '' ? [] : places.of(service, base + path, method.toUpperCase())
      const reached = based.length > 0 ? based : places.of(service, path, method.toUpperCase())
      if (reached.length === 0) continue
      const docs = operations.read(operation, fieldOf(item, 'parameters'))
      shown += textLength(docs) * reached.length
      if (shown > MAX_TEXT)
        throw new BrokenDocument(`has more than ${MAX_TEXT} characters once its references are resolved`)
      const security = requirements(fieldOf(operation, 'security') ?? fieldOf(root, 'security'))
      found.push(...reached.map((place) => ({ place, method, docs, security })))
    }
  }
  yield* operations.schemas.finish()
  const info = fieldOf(root, 'info')
  return {
    title: textOf(fieldOf(info, 'title')),
    description: textOf(fieldOf(info, 'description')),
    operations: found,
    schemas: operations.schemas.named,
    schemes: schemesOf(root, source),
  }
}

/** Characters of the resulting text, without named schemas, which are written only once. */
function textLength(docs: OperationDocs): number {
  return JSON.stringify(docs, (_, value: unknown) => (value instanceof NamedSchema ? null : value)).length
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new BrokenDocument('is not JSON')
  }
}

/** A requirement names schemes, each with scopes or roles. */
function requirements(value: unknown): DocsObject[] {
  return itemsOf(value)
    .filter(isFields)
    .map((requirement) =>
      Object.fromEntries(
        entriesOf(requirement).map(([name, scopes]) => [
          name,
          itemsOf(scopes).filter((each) => typeof each === 'string'),
        ]),
      ),
    )
}

/** Self-contained schemes; those of OAuth need endpoints that clients may not reach. */
function schemesOf(root: unknown, source: Source): Map<string, DocsObject> {
  const schemes = new Map<string, DocsObject>()
  for (const [key, value] of entriesOf(fieldOf(fieldOf(root, 'components'), 'securitySchemes'))) {
    const found = source.object(value)
    const [type, name, place, scheme] = ['type', 'name', 'in', 'scheme'].map((member) => fieldOf(found, member))
    const description = textOf(fieldOf(found, 'description'))
    if (type === 'apiKey' && typeof name === 'string' && ['query', 'header', 'cookie'].includes(String(place)))
      schemes.set(key, { type, name, in: place, description })
    if (type === 'http' && typeof scheme === 'string') schemes.set(key, { type, scheme, description })
  }
  return schemes
}

function entriesOf(value: unknown): [string, unknown][] {
  return isFields(value) ? Object.entries(value).filter(([key]) => key !== '__proto__') : []
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
