import type { JsonDocument } from '../../core/document.ts'
import { isFields } from '../../core/value.ts'
import type { SlicedWork } from '../../core/time-slices.ts'
import { modernSchema, withNumericBounds } from '../../openapi/modern-schema.ts'
import { type Resolve, within } from '../../openapi/references.ts'
import { LISTS, MAPS, SINGLE } from '../../openapi/schema-keywords.ts'
import { type Check, checkSchema, Schemas, UnusableSchema } from './schema.ts'
import { type UnusablePatterns, withoutUnusablePatterns } from './unusable-patterns.ts'

/** Base URI of the document in references of its schemas. */
const DOCUMENT = 'https://document.invalid/'

/** Keywords that would change the base of references, or have no meaning here. */
const DROPPED = new Set(['$id', '$schema', '$anchor', '$defs', 'nullable'])

/**
 * Translates the schemas of an OpenAPI document to JSON Schema 2020-12, as they apply to requests: keywords of version 3.0 are
 * converted, and read-only properties are not required (OpenAPI 3.0.3 section 4.7.24).
 */
export class OpenApiSchemas {
  private readonly isOld: boolean
  private readonly resolve: Resolve
  private readonly schemas = new Schemas(false)
  /** Reference -> its place among the definitions. */
  private readonly places = new Map<string, string>()
  private readonly definitions: Record<string, unknown> = {}
  /** Places of definitions, and whether they refer to others; those that others refer to come first. */
  private readonly defined: { readonly place: string; readonly refers: boolean }[] = []
  private references = 0
  /** Patterns that were left out. */
  readonly unusable: UnusablePatterns = []

  /** `isOld`: the document is of version 3.0. */
  constructor(document: JsonDocument, isOld: boolean) {
    this.isOld = isOld
    this.resolve = within(document)
  }

  /**
   * A schema located at `place`, with its references made absolute. All schemas must be translated before one is compiled. Throws
   * UnusableSchema.
   */
  *translate(schema: unknown, place: string): SlicedWork<JsonDocument> {
    const translated = withoutUnusablePatterns(yield* this.inner(schema), place, this.unusable)
    const whole = isFields(translated) ? translated : { allOf: [translated] }
    checkSchema(whole)
    yield
    return whole
  }

  /** To be called once after all schemas have been translated, to compile them. */
  *complete(): SlicedWork<(schema: JsonDocument) => SlicedWork<Check>> {
    this.schemas.add({ $defs: this.definitions }, DOCUMENT)
    for (const { place, refers } of this.defined) yield* this.schemas.compileAt(place, refers)
    return (schema) => this.schemas.compile(schema)
  }

  private *inner(schema: unknown): SlicedWork<unknown> {
    if (!isFields(schema)) return schema
    const reference = schema['$ref']
    if (typeof reference !== 'string') return yield* this.members(schema)
    this.references++
    const $ref = yield* this.define(reference)
    // OpenAPI 3.0.3 section 4.7.23: siblings of a reference are ignored.
    return this.isOld ? { $ref } : { ...(yield* this.members(schema)), $ref }
  }

  private *members(schema: JsonDocument): SlicedWork<JsonDocument> {
    const members: [string, unknown][] = []
    for (const [name, value] of Object.entries(this.isOld ? modernSchema(schema) : withNumericBounds(schema))) {
      if (DROPPED.has(name)) continue
      // An empty enum accepts nothing, but the library does not support it.
      if (name === 'enum' && Array.isArray(value) && value.length === 0) members.push(['allOf', [false]])
      else if (name === 'required') members.push([name, this.required(schema, value)])
      else members.push([name, yield* this.member(name, value)])
    }
    return Object.fromEntries(members)
  }

  private *member(name: string, value: unknown): SlicedWork<unknown> {
    if (SINGLE.has(name)) return yield* this.inner(value)
    if (LISTS.has(name) && Array.isArray(value)) {
      const schemas: unknown[] = []
      for (const each of value) schemas.push(yield* this.inner(each))
      return schemas
    }
    if (!MAPS.has(name) || !isFields(value)) return value
    const schemas: [string, unknown][] = []
    for (const [key, each] of Object.entries(value)) schemas.push([key, yield* this.inner(each)])
    return Object.fromEntries(schemas)
  }

  private *define(reference: string): SlicedWork<string> {
    const known = this.places.get(reference)
    if (known !== undefined) return known
    const target = this.resolve(reference)
    if (target === undefined)
      throw new UnusableSchema(
        `refers to ${JSON.stringify(reference)}; expected a place in the document such as "#/components/schemas/Order"`,
      )
    const name = `s${this.places.size}`
    const place = `${DOCUMENT}#/$defs/${name}`
    const before = this.references
    this.places.set(reference, place)
    try {
      this.definitions[name] = yield* this.translate(target, reference)
    } catch (error) {
      if (!(error instanceof UnusableSchema) || error.message.startsWith('#')) throw error
      throw new UnusableSchema(`${reference}: ${error.message}`)
    }
    this.defined.push({ place, refers: this.references > before })
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
