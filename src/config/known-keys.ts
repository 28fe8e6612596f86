import { z } from 'zod'
import { equivalentKeys } from './foreign-keys.ts'
import { hint, nearest, oneOf } from './suggest.ts'

/** The keys of a map and of the maps directly below it. */
export interface KnownKeys {
  readonly own: readonly string[]
  /** Key -> keys of the map at that key. */
  readonly below: ReadonlyMap<string, readonly string[]>
  /** First item of a list -> keys of the map that it is. */
  readonly inLists: ReadonlyMap<string, readonly string[]>
}

const NONE: KnownKeys = { own: [], below: new Map(), inLists: new Map() }

/** The number of keys named as examples of a map's keys. */
const EXAMPLES = 3

export function keysOf(schema: z.ZodObject): KnownKeys {
  const fields = Object.entries(schema.shape)
  return {
    own: fields.map(([name]) => name),
    below: new Map(fields.map(([name, field]) => [name, keysBelow(field)])),
    inLists: new Map(fields.map(([name, field]) => [`${name}[0]`, keysOfItems(field)])),
  }
}

/** The hint that follows the name of an unknown key: the key that was probably meant, at this level or one level down. */
export function hintFor(key: string, known: KnownKeys = NONE): string {
  const { own, below, inLists } = known
  if (nearest(key, own) !== undefined) return hint(key, own)
  const meant = equivalentKeys(key, own)
  if (meant !== undefined) return `; did you mean ${meant.includes('.') ? meant : JSON.stringify(meant)}?`
  const further = placeOf(key, below)
  if (further !== undefined) return `; did you mean ${further}.${key}?`
  const inList = placeOf(key, inLists)
  return inList === undefined ? hint(key, own) : `; did you mean ${inList}.${key}?`
}

function placeOf(key: string, places: ReadonlyMap<string, readonly string[]>): string | undefined {
  return [...places].find(([, keys]) => keys.includes(key))?.[0]
}

/** The map that was probably meant by a text or number: with it at the first key of `someOf`. Undefined if that key does not accept it, or all do. */
export function mapWith(schema: z.ZodObject, value: string | number): string | undefined {
  const keys = examplesOf(schema)
  const accepting = keys.filter((key) => schema.safeParse({ [key]: value }).success)
  const [first] = keys
  const isMeant =
    first !== undefined && accepting.includes(first) && (keys.length === 1 || accepting.length < keys.length)
  return isMeant ? `{ ${first}: ${JSON.stringify(value)} }` : undefined
}

/** Some keys of a map, required ones first, as in `"a", "b" or others`. */
export function someOf(schema: z.ZodObject): string {
  const shown = examplesOf(schema)
  const isComplete = Object.keys(schema.shape).length <= EXAMPLES
  return isComplete ? oneOf(shown) : `${shown.map((name) => JSON.stringify(name)).join(', ')} or others`
}

function examplesOf(schema: z.ZodObject): string[] {
  return Object.entries(schema.shape)
    .toSorted(([, a], [, b]) => Number(isOptional(a)) - Number(isOptional(b)))
    .map(([name]) => name)
    .slice(0, EXAMPLES)
}

function isOptional(schema: unknown): boolean {
  return schema instanceof z.ZodType && schema.safeParse(undefined).success
}

function keysBelow(schema: unknown): string[] {
  return kindsOf(schema).flatMap((kind) => (kind instanceof z.ZodObject ? Object.keys(kind.shape) : []))
}

function keysOfItems(schema: unknown): string[] {
  return kindsOf(schema).flatMap((kind) => (kind instanceof z.ZodArray ? keysBelow(kind.element) : []))
}

/** The alternatives of a schema, without what is wrapped around them. */
function kindsOf(schema: unknown): unknown[] {
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(kindsOf)
  if (schema instanceof z.ZodPipe) return kindsOf(schema.in)
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault
  )
    return kindsOf(schema.unwrap())
  return [schema]
}
