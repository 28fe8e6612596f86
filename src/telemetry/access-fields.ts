import type { Headers } from '../http/headers.ts'

/** Maximum number of characters of a value to log. */
const LENGTH = 128
/** Maximum length of a value as written in the line, which keeps lines short; a value with too many escapes is cut earlier. */
const MAX = 200
const ESCAPED = 32

/**
 * Makes the member of an access log line that has the request headers of those names, unchanged: a value, several values joined by commas,
 * or null for none, by lower-case name. Null if there are no names.
 */
export function createFieldNotes(names: readonly string[]): ((headers: Headers) => string) | null {
  if (names.length === 0) return null
  const known = names.map((name) => ({ name, member: `${JSON.stringify(name.toLowerCase())}:` }))
  return (headers) => {
    const members = known.map(({ name, member }) => member + quoted(headers.combined(name)))
    return `,"headers":{${members.join(',')}}`
  }
}

/** As JSON in ASCII, so that no control character gets through. */
function quoted(value: string | undefined): string {
  if (value === undefined) return 'null'
  const whole = jsonOf(value.slice(0, LENGTH))
  return whole.length <= MAX ? whole : jsonOf(value.slice(0, ESCAPED))
}

function jsonOf(value: string): string {
  return JSON.stringify(value).replace(/[\x7f-\uffff]/g, escape)
}

function escape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
