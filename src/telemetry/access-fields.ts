import type { Headers } from '../http/headers.ts'

/** Characters of a value that are logged. */
const LENGTH = 128
/** A value takes so many in the line at most, that lines stay short; one with too many escapes is cut after fewer. */
const MOST = 200
const ESCAPED = 32

/**
 * Makes the member of a line of the access log that has the request fields of those names, as they came: a value, several joined
 * by commas, or null for none; by the names in lower case. Null where there are no names.
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
  return whole.length <= MOST ? whole : jsonOf(value.slice(0, ESCAPED))
}

function jsonOf(value: string): string {
  return JSON.stringify(value).replace(/[\x7f-\uffff]/g, escape)
}

function escape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
