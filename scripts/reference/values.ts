import { z } from 'zod'
import { duration, percent, size } from '../../src/core/units.ts'
import { fieldOf, isFields, itemsOf } from '../../src/core/value.ts'
import { anyOf, codeOf, inLine } from './text.ts'

/** What a text with a unit is, by the pattern in its schema. */
const UNITS: readonly (readonly [isPattern: (pattern: string) => boolean, name: string])[] = [
  [isPatternOf(duration), 'duration'],
  [isPatternOf(size), 'size'],
  [isPatternOf(percent), 'percentage'],
  [(pattern) => pattern.endsWith('([smhd])$'), 'rate'],
  [(pattern) => pattern.endsWith('\\/s$'), 'rate per second'],
]

function isPatternOf(schema: z.ZodType): (pattern: string) => boolean {
  const own = fieldOf(z.toJSONSchema(schema, { io: 'input' }), 'pattern')
  return (pattern) => pattern === own
}

/** The bound that JSON Schema adds to numbers to keep them exact; it is not a real limit. */
const UNBOUNDED = Number.MAX_SAFE_INTEGER

/** The allowed values, with unit and range. */
export function valueText(schema: unknown): string {
  const forms = formsOf(schema)
  // Some durations may be zero.
  const none = itemsOf(fieldOf(schema, 'examples')).includes('0s') ? ['`0s`'] : []
  return forms.length === 0 ? 'any value' : anyOf([...forms, ...none])
}

/** The unit of a text; null if it has none. */
export function unitOf(schema: unknown): string | null {
  const pattern = fieldOf(schema, 'pattern')
  const own = typeof pattern === 'string' ? UNITS.find(([isPattern]) => isPattern(pattern))?.[1] : undefined
  return (
    own ??
    itemsOf(fieldOf(schema, 'anyOf'))
      .map(unitOf)
      .find((unit) => unit !== null) ??
    null
  )
}

/** The words that are allowed. */
export function wordsOf(schema: unknown): readonly unknown[] {
  const forms = [schema, ...itemsOf(fieldOf(schema, 'anyOf'))]
  return forms.flatMap(fixedOf)
}

function formsOf(schema: unknown): string[] {
  if (!isFields(schema) || '$ref' in schema) return []
  const all = fixedOf(schema)
  // Leaves out upper-case variants such as DEBUG next to debug.
  const words = all.filter((word) => typeof word !== 'string' || word === lower(word) || !all.includes(lower(word)))
  if (words.length > 0) return words.map((word) => codeOf(inLine(word)))
  const branches = itemsOf(schema['anyOf'])
  if (branches.length > 0) return branches.flatMap(formsOf)
  const types = Array.isArray(schema['type']) ? itemsOf(schema['type']) : [schema['type']]
  return types
    .flatMap((type) => (type === 'boolean' ? ['`true`', '`false`'] : [formOf(String(type), schema)]))
    .filter((form) => form !== '')
}

function formOf(type: string, schema: unknown): string {
  if (type === 'integer') return `whole number${rangeOf(schema)}`
  if (type === 'number') return `number${rangeOf(schema)}`
  if (type === 'array') return listText(schema)
  if (type === 'object') return mapText(schema)
  if (type === 'null') return '`null`'
  if (type !== 'string') return ''
  const format = fieldOf(schema, 'format')
  if (format === 'uri') return 'URL'
  const count = countOf(schema, 'Length')
  return unitOf(schema) ?? (count === '' ? 'text' : `text of ${count}characters`)
}

function mapText(schema: unknown): string {
  if (isFields(fieldOf(schema, 'properties'))) return 'map'
  const values = fieldOf(schema, 'additionalProperties')
  return isFields(values) && Object.keys(values).length > 0
    ? `map of names to ${pluralOf(values) ?? anyOf(formsOf(values))}`
    : 'map'
}

function listText(schema: unknown): string {
  const count = countOf(schema, 'Items')
  const items = fieldOf(schema, 'items')
  const names = pluralOf(items)
  if (names !== null) return `list of ${count}${names}`
  return `list${count === '' ? '' : ` of ${count.trimEnd()}`}, each ${anyOf(formsOf(items))}`
}

/** The plural for several values; null if there is no single word for it. */
function pluralOf(schema: unknown): string | null {
  const forms = formsOf(schema)
  const [only] = forms
  if (forms.length === 0) return 'any values'
  return forms.length === 1 && only !== undefined && /^[a-zA-Z]+$/.test(only) ? `${only}s` : null
}

function rangeOf(schema: unknown): string {
  const [least, most] = [fieldOf(schema, 'minimum'), fieldOf(schema, 'maximum')]
  const low = typeof least === 'number' && least > -UNBOUNDED ? least : null
  const high = typeof most === 'number' && most < UNBOUNDED ? most : null
  if (low !== null && high !== null) return ` from ${low} to ${high}`
  if (low !== null) return ` from ${low}`
  return high === null ? '' : ` up to ${high}`
}

function countOf(schema: unknown, what: 'Items' | 'Length'): string {
  const most = fieldOf(schema, `max${what}`)
  return typeof most === 'number' ? `at most ${most} ` : ''
}

function fixedOf(schema: unknown): readonly unknown[] {
  return isFields(schema) && 'const' in schema ? [schema['const']] : itemsOf(fieldOf(schema, 'enum'))
}

function lower(word: string): string {
  return word.toLowerCase()
}
