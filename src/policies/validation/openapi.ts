import { MadeOnce } from './made-once.ts'
import type { JsonDocument } from '../../core/document.ts'
import { pointerToken } from '../../core/json-pointer.ts'
import { type SlicedWork, runToEnd } from '../../core/time-slices.ts'
import { fieldOf, isFields } from '../../core/value.ts'
import { basePathOf, isNoParameter, operationsOf } from '../../openapi/operations.ts'
import { follow, type Resolve, within } from '../../openapi/references.ts'
import { compileMediaTypes, essence } from '../media-types.ts'
import type { Content } from './body-rule.ts'
import { OpenApiSchemas } from './openapi-schemas.ts'
import type { ParameterRule } from './operation.ts'
import { type Parameter, type Style, styles } from './parameters.ts'
import { type Check, UnusableSchema } from './schema.ts'
import { shapeOf } from './shape.ts'
import type { UnusablePatterns } from './unusable-patterns.ts'

/** A compiled operation of the document. */
export interface DescribedOperation {
  /** As written, such as "/orders/{id}". */
  readonly template: string
  /** In upper case. */
  readonly method: string
  readonly parameters: readonly ParameterRule[]
  /** Accepted kinds of bodies, most specific first, and the same for an Accept header. */
  readonly contents: readonly Content[]
  readonly accept: string
  readonly bodyRequired: boolean
}

/** What a document says about requests. */
export interface Description {
  /** Path of the first server, without a trailing slash. */
  readonly basePath: string
  readonly operations: readonly DescribedOperation[]
  /** Patterns that are not enforced, since they cannot be used. */
  readonly unusable: UnusablePatterns
}

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace', 'query']
const PLACES = ['query', 'path', 'header'] as const

const known = new MadeOnce<Description>()

/** Compiles an OpenAPI document of version 3.0 or 3.1, once per thread. Throws UnusableSchema. */
export function describeDocument(document: JsonDocument): Description {
  return runToEnd(describingDocument(document))
}

/** The same in steps of about an operation or a schema; the result is cached for `describeDocument`. */
export function describingDocument(document: JsonDocument): SlicedWork<Description> {
  return known.get(document, () => describing(document))
}

function* describing(document: JsonDocument): SlicedWork<Description> {
  const version = String(document['openapi'])
  if (!/^3\.[01](?:\.|$)/.test(version))
    throw new UnusableSchema('is not an OpenAPI 3.0 or 3.1 document: expected "openapi: 3.1.0" or similar')
  const schemas = new OpenApiSchemas(document, version.startsWith('3.0'))
  const reader = new Reader(within(document), schemas)
  const { paths } = document
  const drafts: Draft[] = []
  for (const [template, item] of Object.entries(isFields(paths) ? paths : {}))
    if (template.startsWith('/')) yield* reader.pathItem(template, item, drafts)
  const compile = yield* schemas.complete()
  const operations: DescribedOperation[] = []
  for (const finish of drafts) operations.push(yield* finish(compile))
  return { basePath: basePathOf(document), operations, unusable: schemas.unusable }
}

/** Creates an operation once all schemas of the document are known. */
type Draft = (compile: (schema: JsonDocument) => SlicedWork<Check>) => SlicedWork<DescribedOperation>

/** The parameters in one place, and the schema of their check. */
type DraftRule = Omit<ParameterRule, 'check'> & { readonly schema: JsonDocument }

/** Reads the parts of a document, resolving references. */
class Reader {
  private readonly resolve: Resolve
  private readonly schemas: OpenApiSchemas

  constructor(resolve: Resolve, schemas: OpenApiSchemas) {
    this.resolve = resolve
    this.schemas = schemas
  }

  /** Adds a draft of each operation. */
  *pathItem(template: string, written: unknown, drafts: Draft[]): SlicedWork {
    const item = this.follow(written)
    for (const [method, operation] of operationsOf(item, METHODS)) {
      drafts.push(yield* this.operation(template, method, operation, item))
      yield
    }
  }

  private *operation(template: string, method: string, operation: JsonDocument, item: JsonDocument): SlicedWork<Draft> {
    const place = `#/paths${pointerToken(template)}/${method}`
    const parameters = yield* locateSteps(place, this.parameters(operation, item, place))
    const body = locate(`${place}/requestBody`, () => this.follow(operation['requestBody'] ?? {}))
    const media: { type: string; takes: Content['takes']; schema: JsonDocument | null }[] = []
    for (const [range, each] of Object.entries(isFields(body['content']) ? body['content'] : {})) {
      const type = essence(range)
      const where = `${place}/requestBody/content${pointerToken(range)}/schema`
      const written = fieldOf(each, 'schema')
      const schema = written === undefined ? null : yield* locateSteps(where, this.schemas.translate(written, where))
      media.push({ type, takes: compileMediaTypes([type]), schema })
    }
    const sorted = media.toSorted((a, b) => closeness(b.type) - closeness(a.type))
    return function* (compile) {
      const rules: ParameterRule[] = []
      for (const { schema, ...rule } of parameters)
        rules.push({ ...rule, check: yield* locateSteps(`${place}/parameters`, compile(schema)) })
      const contents: Content[] = []
      for (const { takes, schema } of sorted) {
        const check = schema === null ? null : yield* locateSteps(`${place}/requestBody`, compile(schema))
        contents.push({ takes, check })
      }
      const accept = sorted.map(({ type }) => type).join(', ')
      const bodyRequired = body['required'] === true
      return { template, method: method.toUpperCase(), parameters: rules, contents, accept, bodyRequired }
    }
  }

  /** For each place, the parameters and a common schema. */
  private *parameters(operation: JsonDocument, item: JsonDocument, at: string): SlicedWork<DraftRule[]> {
    const all = [item['parameters'] ?? [], operation['parameters'] ?? []].flat().map((each) => this.follow(each))
    // A parameter of the operation overrides that of the path.
    const unique = [...new Map(all.map((each) => [`${String(each['in'])} ${String(each['name'])}`, each])).values()]
    const rules: DraftRule[] = []
    for (const place of PLACES) {
      const here = unique.filter((each) => each['in'] === place && !isNoParameter(place, each['name']))
      if (here.length === 0) continue
      const parameters = here.map((each) => this.parameter(each, place))
      const properties: [string, JsonDocument][] = []
      for (const each of here) {
        const name = String(each['name'])
        const own = yield* this.schemas.translate(schemaOf(each), `${at}/parameters[${name}]/schema`)
        properties.push([name, mayBeEmpty(each) ? { if: { const: '' }, else: own } : own])
      }
      const isRequired = (each: JsonDocument): boolean => each['required'] === true || place === 'path'
      const required = here.filter(isRequired).map((each) => String(each['name']))
      rules.push({ place, parameters, schema: { properties: Object.fromEntries(properties), required } })
    }
    return rules
  }

  private parameter(written: JsonDocument, place: (typeof PLACES)[number]): Parameter {
    const name = String(written['name'])
    const { style: styleName = place === 'query' ? 'form' : 'simple', explode = styleName === 'form' } = written
    const style = styles.find((each) => each === styleName)
    if (style === undefined || (place === 'query') === (style === 'simple'))
      throw new UnusableSchema(
        `the parameter ${JSON.stringify(name)} has the style ${JSON.stringify(styleName)}; expected ${allowed(place)}`,
      )
    const shape =
      written['content'] === undefined ? shapeOf(schemaOf(written), this.resolve) : ({ type: 'json' } as const)
    return { name, style, explode: explode === true, shape, mayBeEmpty: mayBeEmpty(written) }
  }

  /** Follows a reference to a part of the document. */
  private follow(written: unknown): JsonDocument {
    const value = follow(written, (reference) => {
      const target = this.resolve(reference)
      if (target !== undefined) return target
      const expected = 'expected a place in the document such as "#/components/parameters/id"'
      throw new UnusableSchema(`refers to ${JSON.stringify(reference)}; ${expected}`)
    })
    if (!isFields(value)) throw new UnusableSchema('expected a map')
    return value
  }
}

/** Adds the place in the document to errors. */
function locate<T>(place: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw located(error, place)
  }
}

/** The same for reading in steps. */
function* locateSteps<T>(place: string, steps: SlicedWork<T>): SlicedWork<T> {
  try {
    return yield* steps
  } catch (error) {
    throw located(error, place)
  }
}

function located(error: unknown, place: string): unknown {
  if (!(error instanceof UnusableSchema) || error.message.startsWith('#/paths')) return error
  return new UnusableSchema(`${place}: ${error.message}`)
}

function mayBeEmpty({ in: place, allowEmptyValue }: JsonDocument): boolean {
  return place === 'query' && allowEmptyValue === true
}

function schemaOf({ schema, content }: JsonDocument): unknown {
  if (!isFields(content)) return schema ?? true
  const [media] = Object.values(content)
  return isFields(media) ? (media['schema'] ?? true) : true
}

function allowed(place: string): string {
  const possible: readonly Style[] = styles.filter((style) => (place === 'query') === (style !== 'simple'))
  return possible.join(', ')
}

/** How specific a media type is. */
function closeness(range: string): number {
  return range.replaceAll('*', '').length - (range.includes('*') ? 1_000 : 0)
}
