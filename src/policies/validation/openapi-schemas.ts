import type { JsonDocument } from '../../core/document.ts'
import { isFields } from '../../core/value.ts'
import { LISTS, MAPS, SINGLE } from './schema-keywords.ts'
import { type Check, checkSchema, Schemas, UnusableSchema } from './schema.ts'
import { type Resolve, within } from './shape.ts'
import { type UnusablePatterns, withoutUnusablePatterns } from './unusable-patterns.ts'

/** Stands for the document in references of its schemas. */
const DOCUMENT = 'https://document.invalid/'

/** What would give references another base, or means nothing here. */
const DROPPED = new Set(['$id', '$schema', '$anchor', '$defs', 'nullable'])

/**
 * The schemas of an OpenAPI document as JSON Schema 2020-12, as requests are held to them: what version 3.0 says in other
 * words is put in these, and what is read-only is not required (OpenAPI 3.0.3 section 4.7.24).
 */
export class OpenApiSchemas {
  private readonly isOld: boolean
  private readonly resolve: Resolve
  private readonly schemas = new Schemas(false)
  /** Reference -> its place among the definitions, and what stands there. */
  private readonly places = new Map<string, string>()
  private readonly definitions: Record<string, unknown> = {}
  /** Patterns that were left out. */
  readonly unusable: UnusablePatterns = []

  /** `isOld`: of version 3.0. */
  constructor(document: JsonDocument, isOld: boolean) {
    this.isOld = isOld
    this.resolve = within(document)
  }

  /**
   * A schema with its references made absolute, which stands at `place`; all are to be translated before one is compiled.
   * Throws UnusableSchema.
   */
  translate(schema: unknown, place: string): JsonDocument {
    const translated = withoutUnusablePatterns(this.inner(schema), place, this.unusable)
    const whole = isFields(translated) ? translated : { allOf: [translated] }
    checkSchema(whole)
    return whole
  }

  /** To be called once, when all schemas are translated: then they can be compiled. */
  complete(): (schema: JsonDocument) => Check {
    this.schemas.add({ $defs: this.definitions }, DOCUMENT)
    return (schema) => this.schemas.compile(schema)
  }

  private inner(schema: unknown): unknown {
    if (!isFields(schema)) return schema
    const reference = schema['$ref']
    if (typeof reference !== 'string') return this.members(schema)
    const $ref = this.define(reference)
    // OpenAPI 3.0.3 section 4.7.23: what stands beside a reference is ignored.
    return this.isOld ? { $ref } : { ...this.members(schema), $ref }
  }

  private members(schema: JsonDocument): JsonDocument {
    const entries = Object.entries(this.isOld ? modern(schema) : withNumericBounds(schema)).flatMap(
      ([name, value]): [string, unknown][] => {
        if (DROPPED.has(name)) return []
        // An empty one takes nothing; the library has none.
        if (name === 'enum' && Array.isArray(value) && value.length === 0) return [['allOf', [false]]]
        if (name === 'required') return [[name, this.required(schema, value)]]
        if (SINGLE.has(name)) return [[name, this.inner(value)]]
        if (LISTS.has(name) && Array.isArray(value)) return [[name, value.map((each) => this.inner(each))]]
        if (MAPS.has(name) && isFields(value))
          return [[name, Object.fromEntries(Object.entries(value).map(([key, each]) => [key, this.inner(each)]))]]
        return [[name, value]]
      },
    )
    return Object.fromEntries(entries)
  }

  private define(reference: string): string {
    const known = this.places.get(reference)
    if (known !== undefined) return known
    const target = this.resolve(reference)
    if (target === undefined)
      throw new UnusableSchema(
        `refers to ${JSON.stringify(reference)}; expected a place in the document such as "#/components/schemas/Order"`,
      )
    const name = `s${this.places.size}`
    const place = `${DOCUMENT}#/$defs/${name}`
    this.places.set(reference, place)
    try {
      this.definitions[name] = this.translate(target, reference)
    } catch (error) {
      if (!(error instanceof UnusableSchema) || error.message.startsWith('#')) throw error
      throw new UnusableSchema(`${reference}: ${error.message}`)
    }
    return place
  }

  private required({ properties }: JsonDocument, required: unknown): unknown {
    if (!Array.isArray(required) || !isFields(properties)) return required
    return required.filter((name) => {
      const property = typeof name === 'string' && Object.hasOwn(properties, name) ? properties[name] : null
      const reference = isFields(property) ? property['$ref'] : undefined
      const meant = typeof reference === 'string' ? this.resolve(reference) : property
      return !isFields(meant) || meant['readOnly'] !== true
    })
  }
}

/**
 * The keywords of OpenAPI 3.0 that JSON Schema 2020-12 has in another form. `nullable` adds null also to what frameworks
 * write it beside, against the letter of section 4.7.24: to lists of values without it, and to `allOf` and the like.
 */
function modern(schema: JsonDocument): JsonDocument {
  const { type, nullable, ...rest } = withNumericBounds(schema)
  if (nullable !== true) return { ...rest, ...(type !== undefined && { type }) }
  const values: unknown[] | null = Array.isArray(rest['enum']) ? rest['enum'] : null
  const list = values === null || values.includes(null) ? {} : { enum: [...values, null] }
  if (typeof type === 'string') return { ...rest, ...list, type: [type, 'null'] }
  const isJoined = ['allOf', 'anyOf', 'oneOf'].some((name) => name in rest)
  return isJoined ? { anyOf: [{ type: 'null' }, rest] } : { ...rest, ...list }
}

/** Without exclusive bounds that are true or false, as version 3.0 has them, and many a document that says it is newer. */
function withNumericBounds(schema: JsonDocument): JsonDocument {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, ...rest } = schema
  return {
    ...rest,
    ...bound('minimum', 'exclusiveMinimum', minimum, exclusiveMinimum),
    ...bound('maximum', 'exclusiveMaximum', maximum, exclusiveMaximum),
  }
}

function bound(name: string, exclusive: string, value: unknown, isExclusive: unknown): JsonDocument {
  if (typeof isExclusive !== 'boolean')
    return {
      ...(value !== undefined && { [name]: value }),
      ...(isExclusive !== undefined && { [exclusive]: isExclusive }),
    }
  if (value === undefined) return {}
  return { [isExclusive ? exclusive : name]: value }
}
