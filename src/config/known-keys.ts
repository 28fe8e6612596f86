import { z } from 'zod'
import { equivalentKeys } from './foreign-keys.ts'
import { hint, nearest, oneOf } from './suggest.ts'

/** The keys of a map and of the maps directly below it. */
export interface KnownKeys {
  readonly own: readonly string[]
  /** Key -> keys of the map at that key. */
  readonly below: ReadonlyMap<string, readonly string[]>
}

/** The number of keys named as examples of a map's keys. */
const EXAMPLES = 3

export function keysOf(schema: z.ZodObject): KnownKeys {
  const fields = Object.entries(schema.shape)
  return { own: fields.map(([name]) => name), below: new Map(fields.map(([name, field]) => [name, keysBelow(field)])) }
}

/** The hint that follows the name of an unknown key: the key that was probably meant, at this level or one level down. */
export function hintFor(key: string, known: KnownKeys | undefined): string {
  const { own, below } = known ?? { own: [], below: new Map<string, readonly string[]>() }
  if (nearest(key, own) !== undefined) return hint(key, own)
  const further = [...below].find(([, keys]) => keys.includes(key))
  if (further !== undefined) return `; did you mean ${further[0]}.${key}?`
  const meant = equivalentKeys(key, own)
  return meant === undefined ? hint(key, own) : `; did you mean ${JSON.stringify(meant)}?`
}

/** Some keys of a map, required ones first, as in `"a", "b" or others`. */
export function someOf(schema: z.ZodObject): string {
  const keys = Object.entries(schema.shape)
    .toSorted(([, a], [, b]) => Number(isOptional(a)) - Number(isOptional(b)))
    .map(([name]) => name)
  const shown = keys.slice(0, EXAMPLES)
  return keys.length > EXAMPLES ? `${shown.map((name) => JSON.stringify(name)).join(', ')} or others` : oneOf(shown)
}

function isOptional(schema: unknown): boolean {
  return schema instanceof z.ZodType && schema.safeParse(undefined).success
}

function keysBelow(schema: unknown): string[] {
  if (schema instanceof z.ZodObject) return Object.keys(schema.shape)
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(keysBelow)
  if (schema instanceof z.ZodPipe) return keysBelow(schema.in)
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault
  )
    return keysBelow(schema.unwrap())
  return []
}
