import { isUtf8 } from 'node:buffer'

/** Thrown for a body that is not a JSON document, or an ambiguous one; the message says why. */
export class MalformedJson extends Error {
  override readonly name = 'MalformedJson'
}

const COLON = 58
const QUOTE = 34
const BACKSLASH = 92

/**
 * Parses a JSON document (RFC 8259) whose maps have no duplicate names (RFC 7493 section 2.3), as the service might use the other
 * one of two members. Throws MalformedJson.
 */
export function parseStrictly(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new MalformedJson('is not UTF-8')
  const text = bytes.toString()
  const value = parse(text)
  if (membersIn(value) !== membersWritten(text)) throw new MalformedJson('contains the same key twice in one object')
  return value
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    // The rest of the message quotes the text.
    const place = /at position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1]
    throw new MalformedJson(place === undefined ? 'is not JSON' : `is not JSON from character ${Number(place) + 1} on`)
  }
}

/** Number of members of all maps in a JSON text: each has one colon outside of strings. */
function membersWritten(text: string): number {
  let members = 0
  let quoted = false
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at)
    if (quoted && character === BACKSLASH) at++
    else if (character === QUOTE) quoted = !quoted
    else if (character === COLON && !quoted) members++
  }
  return members
}

/** Number of members of all maps in a value; not recursive, as the client controls its depth. */
function membersIn(value: unknown): number {
  let members = 0
  const left: object[] = typeof value === 'object' && value !== null ? [value] : []
  for (let each = left.pop(); each !== undefined; each = left.pop()) {
    const below: readonly unknown[] = Array.isArray(each) ? each : Object.values(each)
    if (!Array.isArray(each)) members += below.length
    for (const item of below) if (typeof item === 'object' && item !== null) left.push(item)
  }
  return members
}
