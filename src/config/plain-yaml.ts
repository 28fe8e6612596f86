import { dirname } from 'node:path'
import { COLLECTION_STYLE, constructFromEvents, CORE_SCHEMA, type Event, EVENT_ID, mapTag, parseEvents } from 'js-yaml'
import { readNamedFiles } from './named-files.ts'
import type { Path } from './problems.ts'
import type { ReadFiles } from './read-files.ts'
import { valueSource } from './source.ts'
import { type Environment, type ReadFile, substitute } from './substitute.ts'
import { at, isFields } from '../core/value.ts'
import type { YamlConfig } from './yaml.ts'

/** Texts that the two parsers may read differently, or that one of them may refuse. */
const UNUSUAL: readonly RegExp[] = [
  // Tabs, carriage returns and other control characters, line ends that YAML does not recognize, byte order marks.
  /[^\n -~\u00a0-\u2027\u202a-\ufefe\uff00-\ufffd]/,
  // Block scalars with an indentation indicator or with trailing line ends kept; texts that continue on the next line.
  /[|>]-?[+\d]|\\$/m,
  // Numbers that are too large.
  /\d[eE][-+]?\d{3}|\d{300}/,
  // Directives, and possible ends of a document.
  /^ *(?:%|---|\.\.\.)/m,
]
/** May be a variable; a dollar sign may be written as an escape sequence. */
const MAY_NAME = /[$\\]/
/** Maximum length of a line in characters, because a key may be at most that long. */
const MAX_LENGTH = 1000
/** What may precede a key on its line. */
const BEFORE_KEY = /^[ -]*["']?$/

/** Keys are texts, as written: a number or null would be written differently. */
const textKeys: typeof mapTag = {
  ...mapTag,
  addPair(map, key, value) {
    if (typeof key !== 'string' || key === '__proto__' || key === '<<') return 'expected another key'
    return mapTag.addPair(map, key, value)
  },
}

const schema = CORE_SCHEMA.withTags(textKeys)

/**
 * Reads a YAML text that has nothing unusual and nothing wrong in it, like `readYaml` in a tenth of the time, but without the places of its
 * values. Null for any other text: use `readYaml` for its value, or for what is wrong and where. Files whose text is inserted are recorded
 * in `files`.
 */
export function readPlainYaml(
  text: string,
  file: string,
  environment: Environment,
  files: ReadFiles,
): YamlConfig | null {
  if (UNUSUAL.some((unusual) => unusual.test(text)) || hasLongLine(text)) return null
  try {
    const events = parseEvents(text, {})
    if (!isPlain(events, text)) return null
    const [written, ...others] = constructFromEvents(events, { source: text, schema })
    if (written === undefined || others.length > 0) return null
    const read = readNamedFiles(dirname(file), files)
    const value = MAY_NAME.test(text) ? withVariables(written, environment, read) : written
    return { value, problems: [], source: { ...valueSource(file), written: (path) => variableAt(written, path) } }
  } catch {
    return null
  }
}

function hasLongLine(text: string): boolean {
  let start = 0
  for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
    if (end - start > MAX_LENGTH) return true
    start = end + 1
  }
  return text.length - start > MAX_LENGTH
}

/** What comes next in an open map or list. */
type Next = 'key' | 'value' | 'any'

/** Whether there are no anchors, aliases and tags, and each key of a block map is a scalar at the beginning of its line. */
function isPlain(events: readonly Event[], text: string): boolean {
  const open: Next[] = []
  for (const event of events) {
    if (event.type === EVENT_ID.POP) {
      open.pop()
      continue
    }
    if (event.type === EVENT_ID.ALIAS) return false
    if (event.type !== EVENT_ID.DOCUMENT && (event.anchorStart !== -1 || event.tagStart !== -1)) return false
    const next = open.at(-1)
    if (next === 'key' && !(event.type === EVENT_ID.SCALAR && beginsLine(text, event.valueStart))) return false
    if (next === 'key') open[open.length - 1] = 'value'
    if (next === 'value') open[open.length - 1] = 'key'
    if (event.type === EVENT_ID.SCALAR) continue
    open.push(event.type === EVENT_ID.MAPPING && event.style === COLLECTION_STYLE.BLOCK ? 'key' : 'any')
  }
  return true
}

function beginsLine(text: string, offset: number): boolean {
  return BEFORE_KEY.test(text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset))
}

/** The value with variables substituted in its texts; the same object if it has none. Throws if one cannot be substituted. */
function withVariables(value: unknown, environment: Environment, read: ReadFile): unknown {
  if (typeof value === 'string') return value.includes('$') ? replaced(value, environment, read) : value
  if (Array.isArray(value)) {
    const items = value.map((item) => withVariables(item, environment, read))
    return items.some((item, i) => item !== value[i]) ? items : value
  }
  if (!isFields(value)) return value
  const fields = Object.entries(value).map(([key, field]) => [key, withVariables(field, environment, read)] as const)
  return fields.some(([key, field]) => field !== value[key]) ? Object.fromEntries(fields) : value
}

function replaced(text: string, environment: Environment, read: ReadFile): string {
  const { text: whole, problems } = substitute(text, environment, read)
  if (problems.length > 0) throw new Error(problems[0])
  return whole
}

function variableAt(written: unknown, path: Path): string | undefined {
  const value = path.reduce<unknown>(at, written)
  return typeof value === 'string' && value.includes('${') ? value : undefined
}
