import { STATUS_CODES } from 'node:http'
import { fieldOf, isFields, itemsOf } from '../core/value.ts'
import type { DocsObject } from '../policies/policy-docs.ts'
import { isNoParameter } from '../openapi/operations.ts'
import { Schemas } from './schemas.ts'
import type { Source } from './source.ts'

/** A service's description of one of its operations, taken from its document. */
export interface OperationDocs {
  /** The operationId, or "". */
  readonly id: string
  /** summary, description, externalDocs and similar members. */
  readonly texts: DocsObject
  /** Parameter Objects, each with name and in. */
  readonly parameters: readonly ParameterDocs[]
  readonly requestBody: DocsObject | undefined
  /** Status, or a range such as 4XX, or default -> Response Object. */
  readonly responses: Readonly<Record<string, DocsObject>>
}

/** A Parameter Object (OpenAPI 3.1.1 section 4.8.12). */
export interface ParameterDocs extends DocsObject {
  readonly name: string
  readonly in: string
}

/** The styles of a parameter by where it is (OpenAPI 3.1.1 section 4.8.12.2). */
const IN_QUERY: readonly string[] = ['form', 'spaceDelimited', 'pipeDelimited', 'deepObject']
const IN_HEADER: readonly string[] = ['simple']
const STYLES: Readonly<Record<string, readonly string[]>> = {
  path: ['matrix', 'label', 'simple'],
  query: IN_QUERY,
  header: IN_HEADER,
  cookie: ['form'],
}

const STATUS = /^(?:[1-5](?:\d\d|XX)|default)$/

/**
 * Converts operations of a service's document to OpenAPI 3.1. References are resolved, except those to schemas. Values of the wrong
 * type are left out, as is what has no meaning outside of the service: links, callbacks, servers and security.
 */
export class Operations {
  readonly schemas: Schemas
  private readonly source: Source

  constructor(source: Source) {
    this.source = source
    this.schemas = new Schemas(source)
  }

  /** `shared` are the parameters of the path item. Throws BrokenDocument. */
  read(operation: DocsObject, shared: unknown): OperationDocs {
    const id = fieldOf(operation, 'operationId')
    const parameters = new Map<string, ParameterDocs>()
    for (const value of [...itemsOf(shared), ...itemsOf(fieldOf(operation, 'parameters'))]) {
      this.source.spend(0)
      const parameter = this.parameter(value)
      if (parameter !== undefined) parameters.set(`${parameter.in} ${parameter.name}`, parameter)
    }
    return {
      id: typeof id === 'string' ? id : '',
      texts: {
        ...strings(operation, ['summary', 'description']),
        ...flags(operation, ['deprecated']),
        ...this.externalDocs(operation),
        ...this.extensions(operation),
      },
      parameters: [...parameters.values()],
      requestBody: this.requestBody(fieldOf(operation, 'requestBody')),
      responses: this.responses(fieldOf(operation, 'responses')),
    }
  }

  private parameter(value: unknown): ParameterDocs | undefined {
    const parameter = this.source.object(value)
    const name = fieldOf(parameter, 'name')
    const place = fieldOf(parameter, 'in')
    if (parameter === undefined || typeof name !== 'string' || typeof place !== 'string') return undefined
    const styles = Object.hasOwn(STYLES, place) ? STYLES[place] : undefined
    if (styles === undefined || isNoParameter(place, name)) return undefined
    return {
      name,
      in: place,
      ...strings(parameter, ['description']),
      ...flags(parameter, ['deprecated', ...(place === 'query' ? ['allowEmptyValue'] : [])]),
      ...(place === 'path' ? { required: true } : flags(parameter, ['required'])),
      ...this.value(parameter, styles, place === 'query' ? ['explode', 'allowReserved'] : ['explode']),
      ...this.extensions(parameter),
    }
  }

  private requestBody(value: unknown): DocsObject | undefined {
    const body = this.source.object(value)
    if (body === undefined) return undefined
    return {
      ...strings(body, ['description']),
      ...flags(body, ['required']),
      content: this.content(fieldOf(body, 'content')),
      ...this.extensions(body),
    }
  }

  private responses(value: unknown): Record<string, DocsObject> {
    const read = isFields(value) ? Object.entries(value) : []
    return Object.fromEntries(
      read.flatMap(([status, item]) => {
        const response = this.source.object(item)
        if (!STATUS.test(status) || response === undefined) return []
        const description = fieldOf(response, 'description')
        const headers = this.source.map(fieldOf(response, 'headers'), (header) => this.header(header))
        const content = this.content(fieldOf(response, 'content'))
        const document = {
          description: typeof description === 'string' ? description : (STATUS_CODES[status] ?? status),
          ...(Object.keys(headers).length > 0 && { headers }),
          ...(Object.keys(content).length > 0 && { content }),
          ...this.extensions(response),
        }
        return [[status, document]]
      }),
    )
  }

  private header(value: unknown): DocsObject | undefined {
    const header = this.source.object(value)
    if (header === undefined) return undefined
    return {
      ...strings(header, ['description']),
      ...flags(header, ['required', 'deprecated']),
      ...this.value(header, IN_HEADER, ['explode']),
      ...this.extensions(header),
    }
  }

  /** The form of the value of a parameter or header: content of one type, or a schema with a style. */
  private value(written: DocsObject, styles: readonly string[], switches: readonly string[]): DocsObject {
    const [first] = Object.entries(this.content(fieldOf(written, 'content')))
    if (first !== undefined) return { content: { [first[0]]: first[1] } }
    const style = fieldOf(written, 'style')
    return {
      ...(typeof style === 'string' && styles.includes(style) && { style }),
      ...flags(written, switches),
      schema: this.schemas.read(fieldOf(written, 'schema'), 0) ?? {},
      ...this.examples(written),
    }
  }

  private content(value: unknown): DocsObject {
    return this.source.map(value, (item) => {
      const media = this.source.object(item)
      if (media === undefined) return undefined
      const schema = this.schemas.read(fieldOf(media, 'schema'), 0)
      const encoding = this.source.map(fieldOf(media, 'encoding'), (each) => this.encoding(each))
      return {
        ...(schema !== undefined && { schema }),
        ...this.examples(media),
        ...(Object.keys(encoding).length > 0 && { encoding }),
        ...this.extensions(media),
      }
    })
  }

  private encoding(value: unknown): DocsObject | undefined {
    if (!isFields(value)) return undefined
    const style = fieldOf(value, 'style')
    return {
      ...strings(value, ['contentType']),
      ...(typeof style === 'string' && IN_QUERY.includes(style) && { style }),
      ...flags(value, ['explode', 'allowReserved']),
    }
  }

  /** One example, or several by name; never both (OpenAPI 3.1.1 section 4.8.14.1). */
  private examples(written: DocsObject): DocsObject {
    const examples = this.source.map(fieldOf(written, 'examples'), (item) => {
      const example = this.source.object(item)
      if (example === undefined || !Object.hasOwn(example, 'value')) return undefined
      return { ...strings(example, ['summary', 'description']), value: this.source.literal(example['value'], 0) }
    })
    if (Object.keys(examples).length > 0) return { examples }
    const example = fieldOf(written, 'example')
    return example === undefined ? {} : { example: this.source.literal(example, 0) }
  }

  private externalDocs(written: DocsObject): DocsObject {
    const docs = fieldOf(written, 'externalDocs')
    const url = fieldOf(docs, 'url')
    if (!isFields(docs) || typeof url !== 'string' || !/^https?:/.test(url) || !URL.canParse(url)) return {}
    return { externalDocs: { url, ...strings(docs, ['description']) } }
  }

  private extensions(written: DocsObject): DocsObject {
    return this.source.map(written, (item, key) => (key.startsWith('x-') ? this.source.literal(item, 0) : undefined))
  }
}

function strings(written: DocsObject, keys: readonly string[]): DocsObject {
  return pick(written, keys, 'string')
}

function flags(written: DocsObject, keys: readonly string[]): DocsObject {
  return pick(written, keys, 'boolean')
}

function pick(written: DocsObject, keys: readonly string[], type: 'string' | 'boolean'): DocsObject {
  return Object.fromEntries(
    keys.flatMap((key) => {
      const value = fieldOf(written, key)
      return typeof value === type ? [[key, value]] : []
    }),
  )
}
