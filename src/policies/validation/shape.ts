import type { JsonDocument } from '../../core/document.ts'
import { isFields } from '../../core/value.ts'
import type { Resolve } from '../../openapi/references.ts'

/** How the text of a parameter is converted: to a value of one of these types, or to several of them. */
export type Shape =
  | {
      readonly type: 'scalar'
      readonly types: ReadonlySet<string>
      /** Whether several values may form a list: the schema says so, or does not specify a type. */
      readonly repeatable: boolean
    }
  | { readonly type: 'list'; readonly item: ReadonlySet<string> }
  | {
      readonly type: 'map'
      readonly members: ReadonlyMap<string, ReadonlySet<string>>
      /** The shape of any member, whether it is among `members` or not. */
      readonly shapeOfMember: (name: string) => Shape
    }
  /** JSON as text. */
  | { readonly type: 'json' }

const TEXT: ReadonlySet<string> = new Set(['string'])
/** Schemas without a type that have one of these keywords describe strings, not lists. */
const OF_TEXTS = ['pattern', 'minLength', 'maxLength', 'format']
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

/** The shape required by a schema. */
export function shapeOf(schema: unknown, resolve: Resolve): Shape {
  const types = typesOf(schema, resolve)
  const isScalar = [...types].some((type) => type !== 'array' && type !== 'object' && type !== 'null')
  if (types.size === 0) {
    const repeatable = !parts(schema, resolve).some((part) => OF_TEXTS.some((keyword) => keyword in part))
    return { type: 'scalar', types: TEXT, repeatable }
  }
  if (isScalar) return { type: 'scalar', types, repeatable: types.has('array') }
  if (types.has('array')) {
    const [items] = parts(schema, resolve).flatMap((part) => part['items'] ?? [])
    return { type: 'list', item: typesOf(items, resolve) }
  }
  const members = membersOf(schema, resolve)
  const [additional] = parts(schema, resolve).flatMap((part) => part['additionalProperties'] ?? [])
  return {
    type: 'map',
    members: new Map([...members].map(([name, member]) => [name, typesOf(member, resolve)])),
    // Computed on demand, as a map may contain itself recursively.
    shapeOfMember: (name) => shapeOf(members.get(name) ?? additional, resolve),
  }
}

/** The named members of a map's schema, with their schemas. */
export function membersOf(schema: unknown, resolve: Resolve): ReadonlyMap<string, unknown> {
  const members = new Map<string, unknown>()
  for (const { properties, required } of parts(schema, resolve)) {
    for (const [name, member] of Object.entries(isFields(properties) ? properties : {})) members.set(name, member)
    // A header may be listed as required without being described.
    for (const name of [required ?? []].flat().map(String)) if (!members.has(name)) members.set(name, {})
  }
  return members
}

/** Converts a text: to a number, boolean or null only if the schema has that type and the text has that form. */
export function valueOf(text: string, types: ReadonlySet<string>): unknown {
  if ((types.has('integer') || types.has('number')) && NUMBER.test(text)) return Number(text)
  if (types.has('boolean') && (text === 'true' || text === 'false')) return text === 'true'
  if (types.has('null') && !types.has('string') && text === 'null') return null
  return text
}

function typesOf(schema: unknown, resolve: Resolve): ReadonlySet<string> {
  const found = parts(schema, resolve).flatMap((part): unknown[] => {
    if (part['type'] !== undefined) return [part['type']].flat()
    if (Array.isArray(part['enum'])) return part['enum'].map(typeOf)
    return 'const' in part ? [typeOf(part['const'])] : []
  })
  return new Set(found.map(String))
}

/** A schema with everything that it refers to or is composed of. */
function parts(schema: unknown, resolve: Resolve): readonly JsonDocument[] {
  const found = new Set<JsonDocument>()
  const left = [schema]
  while (left.length > 0) {
    const part = left.pop()
    if (!isFields(part) || found.has(part)) continue
    found.add(part)
    const { $ref: reference, allOf, anyOf, oneOf } = part
    if (typeof reference === 'string') left.push(resolve(reference))
    for (const list of [allOf, anyOf, oneOf]) if (Array.isArray(list)) for (const each of list) left.push(each)
  }
  return [...found]
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}
