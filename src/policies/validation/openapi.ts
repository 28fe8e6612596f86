import { MadeOnce } from './made-once.ts'
import type { JsonDocument } from '../../core/document.ts'
import { stepTo } from '../../core/json-pointer.ts'
import { isFields } from '../../core/value.ts'
import { compileMediaTypes } from '../media-types.ts'
import type { Content } from './body-rule.ts'
import { OpenApiSchemas } from './openapi-schemas.ts'
import type { ParameterRule } from './operation.ts'
import { type Parameter, type Style, styles } from './parameters.ts'
import { type Check, UnusableSchema } from './schema.ts'
import { type Resolve, shapeOf, within } from './shape.ts'
import type { UnusablePatterns } from './unusable-patterns.ts'

/** An operation of the document, compiled. */
export interface DescribedOperation {
  /** As it is written, such as "/orders/{id}". */
  readonly template: string
  /** In upper case. */
  readonly method: string
  readonly parameters: readonly ParameterRule[]
  /** Kinds of bodies that are taken, the closest first, and the same for the field Accept. */
  readonly contents: readonly Content[]
  readonly accept: string
  readonly bodyRequired: boolean
}

/** What a document says of requests. */
export interface Description {
  /** Path of the first server, without a slash at its end. */
  readonly basePath: string
  readonly operations: readonly DescribedOperation[]
  /** Patterns that it is not held to, since they cannot be used. */
  readonly unusable: UnusablePatterns
}

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace', 'query']
const PLACES = ['query', 'path', 'header'] as const
/** OpenAPI 3.1 section 4.8.12: parameters of these names are none. */
const NOT_PARAMETERS = new Set(['accept', 'content-type', 'authorization'])

const known = new MadeOnce<Description>()

/** Compiles an OpenAPI document of version 3.0 or 3.1, once a thread. Throws UnusableSchema. */
export function describeDocument(document: JsonDocument): Description {
  return known.get(document, () => describe(document))
}

function describe(document: JsonDocument): Description {
  const version = String(document['openapi'])
  if (!/^3\.[01](?:\.|$)/.test(version))
    throw new UnusableSchema(
      'is no OpenAPI document of version 3.0 or 3.1: expected "openapi: 3.1.0" or the like in it',
    )
  const schemas = new OpenApiSchemas(document, version.startsWith('3.0'))
  const reader = new Reader(within(document), schemas)
  const paths = document['paths']
  const drafts = Object.entries(isFields(paths) ? paths : {}).flatMap(([template, item]) =>
    template.startsWith('/') ? reader.pathItem(template, item) : [],
  )
  const compile = schemas.complete()
  const operations = drafts.map((finish) => finish(compile))
  return { basePath: basePathOf(document), operations, unusable: schemas.unusable }
}

/** Makes an operation once all schemas of the document are known. */
type Draft = (compile: (schema: JsonDocument) => Check) => DescribedOperation

/** Reads the parts of a document, with references resolved. */
class Reader {
  private readonly resolve: Resolve
  private readonly schemas: OpenApiSchemas

  constructor(resolve: Resolve, schemas: OpenApiSchemas) {
    this.resolve = resolve
    this.schemas = schemas
  }

  pathItem(template: string, written: unknown): Draft[] {
    const item = this.follow(written)
    return METHODS.flatMap((method) => {
      const operation = item[method]
      return isFields(operation) ? [this.operation(template, method, operation, item)] : []
    })
  }

  private operation(template: string, method: string, operation: JsonDocument, item: JsonDocument): Draft {
    const place = `#/paths${stepTo(template)}/${method}`
    const parameters = this.at(place, () => this.parameters(operation, item, place))
    const body = this.at(`${place}/requestBody`, () => this.follow(operation['requestBody'] ?? {}))
    const content = isFields(body['content']) ? body['content'] : {}
    const contents = Object.entries(content)
      .map(([range, media]) => {
        const schema = isFields(media) ? media['schema'] : undefined
        const type = range.split(';', 1)[0]!.trim().toLowerCase()
        const where = `${place}/requestBody/content${stepTo(range)}/schema`
        const translated = this.at(where, () => (schema === undefined ? null : this.schemas.translate(schema, where)))
        return { type, takes: compileMediaTypes([type]), schema: translated }
      })
      .toSorted((a, b) => closeness(b.type) - closeness(a.type))
    return (compile) => ({
      template,
      method: method.toUpperCase(),
      parameters: parameters.map(({ place: where, parameters: inPlace, schema }) => ({
        place: where,
        parameters: inPlace,
        check: this.at(`${place}/parameters`, () => compile(schema)),
      })),
      contents: contents.map(({ takes, schema }) => ({
        takes,
        check: schema === null ? null : this.at(`${place}/requestBody`, () => compile(schema)),
      })),
      accept: contents.map(({ type }) => type).join(', '),
      bodyRequired: body['required'] === true,
    })
  }

  /** For each place, the parameters and the schema of them all. */
  private parameters(operation: JsonDocument, item: JsonDocument, at: string) {
    const all = [item['parameters'] ?? [], operation['parameters'] ?? []].flat().map((each) => this.follow(each))
    // One of the operation stands in for that of the path.
    const unique = [...new Map(all.map((each) => [`${String(each['in'])} ${String(each['name'])}`, each])).values()]
    return PLACES.flatMap((place) => {
      const here = unique.filter((each) => each['in'] === place && !isIgnored(each))
      if (here.length === 0) return []
      const parameters = here.map((each) => this.parameter(each, place))
      const schema = {
        properties: Object.fromEntries(
          here.map((each) => {
            const name = String(each['name'])
            const own = this.schemas.translate(schemaOf(each), `${at}/parameters[${name}]/schema`)
            return [name, mayBeEmpty(each) ? { if: { const: '' }, else: own } : own]
          }),
        ),
        required: here
          .filter((each) => each['required'] === true || place === 'path')
          .map((each) => String(each['name'])),
      }
      return [{ place, parameters, schema }]
    })
  }

  private parameter(written: JsonDocument, place: (typeof PLACES)[number]): Parameter {
    const name = String(written['name'])
    const { style: asked = place === 'query' ? 'form' : 'simple', explode = asked === 'form' } = written
    const style = styles.find((each) => each === asked)
    if (style === undefined || (place === 'query') === (style === 'simple'))
      throw new UnusableSchema(
        `the parameter ${JSON.stringify(name)} has the style ${JSON.stringify(asked)}; expected ${allowed(place)}`,
      )
    const shape =
      written['content'] === undefined ? shapeOf(schemaOf(written), this.resolve) : ({ type: 'json' } as const)
    return { name, style, explode: explode === true, shape, mayBeEmpty: mayBeEmpty(written) }
  }

  /** What a reference to a part of the document leads to. */
  private follow(written: unknown): JsonDocument {
    let value = written
    for (let hops = 0; hops < 16 && isFields(value) && typeof value['$ref'] === 'string'; hops++) {
      const target = this.resolve(value['$ref'])
      if (target === undefined)
        throw new UnusableSchema(
          `refers to ${JSON.stringify(value['$ref'])}; expected a place in the document such as "#/components/parameters/id"`,
        )
      value = target
    }
    if (!isFields(value)) throw new UnusableSchema('expected a map')
    return value
  }

  /** Says where in the document something is wrong. */
  private at<T>(place: string, read: () => T): T {
    try {
      return read()
    } catch (error) {
      if (!(error instanceof UnusableSchema) || error.message.startsWith('#/paths')) throw error
      throw new UnusableSchema(`${place}: ${error.message}`)
    }
  }
}

function isIgnored({ in: place, name }: JsonDocument): boolean {
  return place === 'header' && NOT_PARAMETERS.has(String(name).toLowerCase())
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

/** How much of a media type is said. */
function closeness(range: string): number {
  return range.replaceAll('*', '').length - (range.includes('*') ? 1_000 : 0)
}

function basePathOf({ servers }: JsonDocument): string {
  const server: unknown = Array.isArray(servers) ? servers[0] : undefined
  if (!isFields(server) || typeof server['url'] !== 'string') return ''
  const variables = isFields(server['variables']) ? server['variables'] : {}
  const url = server['url'].replaceAll(/\{([^}]*)\}/g, (_, name: string) => {
    const variable = Object.hasOwn(variables, name) ? variables[name] : undefined
    const value = isFields(variable) ? variable['default'] : undefined
    return typeof value === 'string' ? value : ''
  })
  return URL.canParse(url, 'http://localhost') ? new URL(url, 'http://localhost').pathname.replace(/\/+$/, '') : ''
}
