import { type Fields, fieldOf, isFields, itemsOf } from '../../src/core/value.ts'

/** A key of a map. */
export interface Key {
  /** Its name in its section, such as `tls.ca`. */
  readonly name: string
  /** Its path in the configuration, with `name` and `[]` as wildcards. */
  readonly path: string
  readonly schema: unknown
  readonly isRequired: boolean
  /** Titles of sections about the contents of its value. */
  readonly sections: readonly string[]
}

/** A map, with a title and a table. */
export interface Section {
  readonly title: string
  /** 1 for top-level keys, 2 for the keys in those, 3 for deeper ones. */
  readonly level: number
  readonly schema: unknown
  readonly keys: readonly Key[]
}

/** A map in the value of a key: the value itself, or each of its items. */
interface Inner {
  readonly path: string
  readonly fields: readonly [name: string, schema: unknown, isRequired: boolean][]
}

/** By the path of a map: a map inside it with at most this many keys, none of which contains maps, is listed in its table. */
const FEW: Readonly<Record<string, number>> = { '': 1, policies: 0 }
const FEW_ELSEWHERE = 4

/** The policies of a route are documented under policies. */
const ELSEWHERE: Readonly<Record<string, string>> = { 'routes[].policies': 'policies' }

/** Title of the section with the top-level keys. */
export const TOP = 'Top level'

export function sectionsOf(schema: Fields): Section[] {
  const [top] = innerOf('', schema)
  return top === undefined ? [] : sectionsAt(TOP, 0, schema, top)
}

/** The link to a section, with the anchor that GitHub gives its heading. */
export function linkTo(title: string, text: string): string {
  const anchor = title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
  return `[${text === TOP ? text : `\`${text}\``}](#${anchor})`
}

function sectionsAt(title: string, level: number, schema: unknown, map: Inner): Section[] {
  const found: Section[] = []
  const keys = keysOf(map, '', (path, inner, value) => {
    found.push(...sectionsAt(path, level + 1, value, inner))
  })
  return [{ title, level: Math.min(Math.max(level, 1), 3), schema, keys }, ...found]
}

/** The keys of a map, including those of small maps in it; larger ones are passed to `apart`. */
function keysOf(map: Inner, before: string, apart: (path: string, inner: Inner, schema: unknown) => void): Key[] {
  return map.fields.flatMap(([field, schema, isRequired]): Key[] => {
    const name = before + field
    const path = map.path === '' ? field : `${map.path}.${field}`
    const key = { name, path, schema, isRequired }
    const elsewhere = ELSEWHERE[path]
    if (elsewhere !== undefined) return [{ ...key, sections: [elsewhere] }]
    const inners = innerOf(path, schema)
    const few = FEW[map.path] ?? FEW_ELSEWHERE
    const isSmall = inners.every((inner) => isInline(inner, few))
    if (!isSmall) for (const inner of inners) apart(inner.path, inner, schema)
    const sections = isSmall ? [] : inners.map((inner) => inner.path)
    const inline = isSmall
      ? inners.flatMap((inner) => keysOf(inner, `${name}${inner.path.slice(path.length)}.`, apart))
      : []
    return [{ ...key, sections }, ...inline]
  })
}

function isInline({ path, fields }: Inner, few: number): boolean {
  return fields.length <= few && fields.every(([name, schema]) => innerOf(`${path}.${name}`, schema).length === 0)
}

/** The maps with known keys in a value, in any of its forms; items that look like the value itself are included once. */
function innerOf(path: string, schema: unknown): Inner[] {
  const found = new Map<string, Map<string, [string, unknown, boolean]>>()
  const look = (at: string, form: unknown): void => {
    const known = found.get(at) ?? new Map<string, [string, unknown, boolean]>()
    const required = new Set(itemsOf(fieldOf(form, 'required')))
    for (const [name, field] of Object.entries(fieldsOf(form)))
      if (!known.has(name)) known.set(name, [name, field, required.has(name)])
    if (known.size > 0) found.set(at, known)
    for (const each of itemsOf(fieldOf(form, 'anyOf'))) look(at, each)
    if (isFields(fieldOf(form, 'items'))) look(`${at}[]`, fieldOf(form, 'items'))
    if (isFields(fieldOf(form, 'additionalProperties'))) look(`${at}.name`, fieldOf(form, 'additionalProperties'))
  }
  look(path, schema)
  const own = [...(found.get(path)?.keys() ?? [])].join(' ')
  return [...found]
    .filter(([at, fields]) => at === path || [...fields.keys()].join(' ') !== own)
    .map(([at, fields]) => ({ path: at, fields: [...fields.values()] }))
}

function fieldsOf(schema: unknown): Fields {
  const properties = fieldOf(schema, 'properties')
  return isFields(properties) ? properties : {}
}
