import type { SlicedWork } from '../core/time-slices.ts'
import { fieldOf, isFields, itemsOf } from '../core/value.ts'
import type { DocsObject } from '../policies/policy-docs.ts'
import { withNumericBounds } from '../openapi/modern-schema.ts'
import { stepsIn } from '../openapi/references.ts'
import { LISTS, MAPS, SINGLE } from '../openapi/schema-keywords.ts'
import { componentName } from './names.ts'
import type { Source } from './source.ts'

/** A schema that others refer to. It is named when the whole document is assembled. */
export class NamedSchema {
  /** Its preferred name. */
  readonly wish: string
  schema: unknown = true

  constructor(wish: string) {
    this.wish = wish
  }
}

type Keyword = (value: unknown, depth: number) => unknown

const TYPES = new Set(['null', 'boolean', 'object', 'array', 'number', 'string', 'integer'])

/**
 * Converts schemas of a service's document, keyword by keyword, to JSON Schema 2020-12. Keywords that are different in OpenAPI 3.0
 * are converted; unknown ones, and values of the wrong type, are left out.
 */
export class Schemas {
  private readonly source: Source
  /** By their places in the document. */
  private readonly known = new Map<string, NamedSchema>()
  private readonly pending: (readonly [NamedSchema, unknown])[] = []
  private readonly keywords: ReadonlyMap<string, Keyword>

  constructor(source: Source) {
    this.source = source
    const one: Keyword = (value, depth) => this.read(value, depth)
    const list: Keyword = (value, depth) => {
      const items = itemsOf(value).map((item) => this.read(item, depth + 1))
      return nonEmpty(items.filter((item) => item !== undefined))
    }
    const map: Keyword = (value, depth) => source.map(value, (item) => this.read(item, depth + 1))
    const literal: Keyword = (value, depth) => source.literal(value, depth)
    const literals: Keyword = (value, depth) =>
      Array.isArray(value) ? nonEmpty(value.map((item) => source.literal(item, depth))) : undefined
    this.keywords = new Map<string, Keyword>([
      ...each(['title', 'description', 'format', 'contentEncoding', 'contentMediaType'], text),
      ...each(['maximum', 'minimum', 'exclusiveMaximum', 'exclusiveMinimum'], number),
      ['multipleOf', (value) => (typeof value === 'number' && value > 0 ? value : undefined)],
      ...each(['maxLength', 'minLength', 'maxItems', 'minItems', 'maxProperties', 'minProperties'], count),
      ...each(['maxContains', 'minContains'], count),
      ...each(['uniqueItems', 'deprecated', 'readOnly', 'writeOnly'], flag),
      ...each([...SINGLE, 'contentSchema'], one),
      ...each(LISTS, list),
      ...each(
        [...MAPS].filter((name) => name !== '$defs'),
        map,
      ),
      ...each(['default', 'const'], literal),
      ...each(['enum', 'examples'], literals),
      ['type', typeKeyword],
      ['pattern', pattern],
      ['required', names],
      ['dependentRequired', (value) => source.map(value, names)],
      ['$ref', (value) => (typeof value === 'string' ? this.refer(value) : undefined)],
      ['discriminator', (value) => this.discriminator(value)],
    ])
  }

  /** All schemas that have been referred to so far. */
  get named(): readonly NamedSchema[] {
    return [...this.known.values()]
  }

  /** Converts a schema; undefined if it is invalid. Throws BrokenDocument. */
  read(value: unknown, depth: number): unknown {
    this.source.spend(depth)
    if (typeof value === 'boolean') return value
    if (!isFields(value)) return undefined
    const schema = this.source.map(withNumericBounds(value), (item, key) => {
      const keyword = this.keywords.get(key)
      if (keyword !== undefined) return keyword(item, depth + 1)
      return key.startsWith('x-') ? this.source.literal(item, depth + 1) : undefined
    })
    return upgrade(schema, value, (example) => this.source.literal(example, depth + 1))
  }

  /**
   * Converts the targets of references, in a loop so that a long chain of them does not become a deep recursion. Throws
   * BrokenDocument.
   */
  *finish(): SlicedWork {
    for (let next = this.pending.pop(); next !== undefined; next = this.pending.pop()) {
      const [named, value] = next
      named.schema = this.read(value, 0) ?? true
      yield
    }
  }

  private refer(reference: string): NamedSchema | undefined {
    const steps = stepsIn(reference)
    const value = this.source.find(reference)
    // A chain of references must end somewhere.
    if (steps === undefined || (typeof value !== 'boolean' && this.source.object(value) === undefined)) return undefined
    const key = JSON.stringify(steps)
    const known = this.known.get(key)
    if (known !== undefined) return known
    const named = new NamedSchema(wishOf(steps))
    this.known.set(key, named)
    this.pending.push([named, value])
    return named
  }

  private discriminator(value: unknown): DocsObject | undefined {
    const propertyName = fieldOf(value, 'propertyName')
    if (typeof propertyName !== 'string') return undefined
    const mapping = this.source.map(fieldOf(value, 'mapping'), (item) => {
      if (typeof item !== 'string') return undefined
      const isName = /^[\w.-]+$/.test(item)
      return this.refer(isName ? `#/components/schemas/${item}` : item)
    })
    return { propertyName, ...(Object.keys(mapping).length > 0 && { mapping }) }
  }
}

/** Further differences of OpenAPI 3.0: nullable, example, and byte for base64. */
function upgrade(schema: DocsObject, written: DocsObject, literal: (value: unknown) => unknown): DocsObject {
  const { format, ...others } = schema
  const coded = format === 'byte' ? { contentEncoding: 'base64' } : { format }
  const example = fieldOf(written, 'example')
  const shown = example === undefined || others['examples'] !== undefined ? {} : { examples: [literal(example)] }
  const upgraded = { ...others, ...coded, ...shown }
  if (fieldOf(written, 'nullable') !== true) return upgraded
  const { type } = schema
  if (typeof type === 'string') return { ...upgraded, type: type === 'null' ? type : [type, 'null'] }
  return Array.isArray(type) ? upgraded : { anyOf: [upgraded, { type: 'null' }] }
}

function wishOf(steps: readonly string[]): string {
  const isUsual = (steps.length === 3 && steps[0] === 'components') || steps.length === 2
  return componentName(isUsual ? (steps.at(-1) ?? '') : steps.filter((step) => step !== '').join('.'))
}

function each(keys: Iterable<string>, keyword: Keyword): (readonly [string, Keyword])[] {
  return Array.from(keys, (key) => [key, keyword])
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

function flag(value: unknown): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined
}

function names(value: unknown): string[] | undefined {
  if (!Array.isArray(value)) return undefined
  return [...new Set(value.filter((item) => typeof item === 'string'))]
}

function nonEmpty(items: readonly unknown[]): readonly unknown[] | undefined {
  return items.length === 0 ? undefined : items
}

function typeKeyword(value: unknown): unknown {
  if (typeof value === 'string') return TYPES.has(value) ? value : undefined
  return nonEmpty([...new Set(itemsOf(value))].filter((item) => typeof item === 'string' && TYPES.has(item)))
}

function pattern(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  try {
    void new RegExp(value, 'u')
    return value
  } catch {
    return undefined
  }
}
