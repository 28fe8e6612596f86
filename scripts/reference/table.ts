import { RESTART_ONLY } from '../../src/config/restart-only.ts'
import { fieldOf, isFields, itemsOf } from '../../src/core/value.ts'
import { type Key, linkTo, type Section } from './sections.ts'
import { codeOf, inLine, partsOf, proseOf } from './text.ts'
import { unitOf, valueText, wordsOf } from './values.ts'

const HEADINGS = ['key', 'value', 'default', 'example', 'meaning']

/** The keys of a map. */
export function tableOf({ keys }: Section): string {
  const rows = keys.map((key) => [
    codeOf(key.name),
    valueText(key.schema),
    defaultOf(key),
    exampleOf(key),
    meaningOf(key),
  ])
  return [HEADINGS, HEADINGS.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** The description's wording of the default if it has one, else the value. */
function defaultOf({ schema, isRequired }: Key): string {
  if (isRequired) return '**required**'
  const fallback = fieldOf(schema, 'default')
  if (isScalar(fallback) && fallback !== null && fallback !== '') return codeOf(inLine(fallback))
  const { byDefault } = partsOf(fieldOf(schema, 'description'))
  if (byDefault !== null) return proseOf(byDefault)
  if (Array.isArray(fallback) && fallback.length > 0) return codeOf(inLine(fallback))
  return Array.isArray(fallback) ? 'none' : '–'
}

/** An example on one line; empty for a map with a section of its own, which shows one. */
function exampleOf({ name, schema, sections }: Key): string {
  if (sections.length > 0) return ''
  const example = exampleValue(schema)
  return example === undefined ? '' : codeOf(inLine({ [name.split(/[.[]/).at(-1) ?? name]: example }).slice(2, -2))
}

/** An example from the schema, else a value that is not the default, else the default. */
function exampleValue(schema: unknown): unknown {
  const fallback = fieldOf(schema, 'default')
  const usual = isScalar(fallback) || (Array.isArray(fallback) && fallback.length > 0) ? fallback : undefined
  // A unit has the same examples everywhere.
  if (unitOf(schema) !== null && usual !== undefined) return usual
  const [shown] = itemsOf(fieldOf(schema, 'examples'))
  if (shown !== undefined) return shown
  const word = wordsOf(schema).find((each) => each !== fallback && each !== false)
  if (word !== undefined) return word
  if (hasBoolean(schema)) return fallback !== true
  const [item] = wordsOf(fieldOf(schema, 'items'))
  return usual ?? (item === undefined ? undefined : [item])
}

function meaningOf({ path, schema, sections }: Key): string {
  const { meaning } = partsOf(fieldOf(schema, 'description'))
  const links = sections.map((title) => linkTo(title, title))
  const more = links.length === 0 ? [] : [`Its keys: ${links.join(', ')}.`]
  return [proseOf(meaning), ...restartOf(path), ...more].filter((text) => text !== '').join(' ')
}

function restartOf(path: string): string[] {
  const places = RESTART_ONLY.map((each) => each.path.join('.'))
  if (!places.includes(path)) return []
  return places.some((place) => place.startsWith(`${path}.`)) ? ['**Restart** to turn it on or off.'] : ['**Restart.**']
}

function hasBoolean(schema: unknown): boolean {
  return (
    isFields(schema) &&
    ((schema['type'] === 'boolean' && !('const' in schema)) || itemsOf(schema['anyOf']).some(hasBoolean))
  )
}

function isScalar(value: unknown): value is string | number | boolean | null {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value)
}
