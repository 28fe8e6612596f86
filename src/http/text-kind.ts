/** The syntax of a text, as far as it matters for inserting values. */
export type TextKind = 'plain' | 'json' | 'markup'

const JSON_TYPE = /^application\/(?:[\w.!#$&^-]+\+)?json$/
const MARKUP = /^(?:text\/html|(?:text|application)\/xml|[\w.-]+\/[\w.!#$&^-]+\+xml)$/

/** The kind of a text with that Content-Type; null where its syntax is unknown. */
export function textKindOf(contentType: string): TextKind | null {
  const [written = ''] = contentType.split(';', 1)
  const type = written.trim().toLowerCase()
  if (type === 'text/plain') return 'plain'
  if (JSON_TYPE.test(type)) return 'json'
  return MARKUP.test(type) ? 'markup' : null
}

/** Escapes a value for a text of that kind, so that it cannot end a string or begin an element. */
export const escapeFor: Readonly<Record<TextKind, (value: string) => string>> = {
  plain: (value) => value.toWellFormed(),
  // Also safe for JSON embedded in an HTML page.
  json: (value) =>
    JSON.stringify(value.toWellFormed())
      .slice(1, -1)
      .replaceAll(/[<>&\u2028\u2029]/g, asUnicode),
  markup: (value) => value.toWellFormed().replaceAll(NO_XML, '\ufffd').replaceAll(SPECIAL, asReference),
}

/** Characters that no XML document may contain, in any notation (XML 1.0 section 2.2). */
// oxlint-disable-next-line no-control-regex -- matching control characters is the purpose
const NO_XML = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g
/**
 * ASCII characters that may be significant somewhere: all but letters, digits, space, "-", "." and "_".
 */
const SPECIAL = /[\t-\r!-,/:-@[-^`{-\x7f]/g

const asUnicode = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
const asReference = (character: string): string => `&#${character.charCodeAt(0)};`

/** Why no value may be inserted after `before`, even escaped; null where one may. */
export function flawOfPlace(kind: TextKind, before: string): string | null {
  if (kind === 'json') return flawInJson(before)
  return kind === 'markup' ? flawInMarkup(before) : null
}

const STRING = /"(?:[^"\\]|\\(?:u[0-9A-Fa-f]{4}|[^u]))*"/g
const OPEN_STRING = /^"(?:[^"\\]|\\(?:u[0-9A-Fa-f]{4}|[^u]))*$/

/** Whether the text that follows that beginning of a JSON text is outside of its strings. */
export function isOutsideOfStrings(before: string): boolean {
  return !before.replaceAll(STRING, '').includes('"')
}

function flawInJson(before: string): string | null {
  const rest = before.replaceAll(STRING, '')
  const at = rest.indexOf('"')
  if (at === -1) return 'outside of a string, where it could be more than a value; write it in quotes'
  return OPEN_STRING.test(rest.slice(at)) ? null : 'in the middle of an escape'
}

const RAW = /<(script|style|iframe|noscript|noembed|noframes|xmp|plaintext)\b(?![\s\S]*<\/\1)/i
const COMMENT = /<!--(?![\s\S]*-->)/
const OPEN_TAG = /<[a-z/!?](?:[^<>"']|"[^"]*"|'[^']*')*(?:"[^"]*|'[^']*)?$/i
const ATTRIBUTE = /[\s"'/]([^\s"'<>/=]+)\s*=\s*(?:"([^"]+)|'([^']+))$/
/** Attributes whose values are interpreted as code or as a document. */
const CODE = /^(?:on.*|style|srcdoc)$/i

function flawInMarkup(before: string): string | null {
  const raw = RAW.exec(before)?.[1]
  if (raw !== undefined) return `in <${raw.toLowerCase()}>, where nothing can be escaped`
  if (COMMENT.test(before)) return 'in a comment'
  const [tag] = OPEN_TAG.exec(before) ?? []
  if (tag === undefined) return null
  const [, name, twice, once] = ATTRIBUTE.exec(tag) ?? []
  const value = twice ?? once
  if (name === undefined || value === undefined)
    return 'in a tag; it may stand between tags, and in an attribute in quotes behind other text'
  if (CODE.test(name)) return `in the attribute ${name}, which is read as code`
  // The scheme at the beginning decides what a URL is: code, or a location.
  return /^\s*(?:javascript|data|vbscript):/i.test(value) ? `in an address that is code` : null
}
