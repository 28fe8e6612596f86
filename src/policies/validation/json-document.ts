import { isDocument } from '../../core/document.ts'

/** A body that is no JSON document, or one that not everybody reads alike; the message says why. */
export class MalformedJson extends Error {
  override readonly name = 'MalformedJson'
}

// A byte order mark is no part of JSON (RFC 8259 section 8.1): it stays, and is refused.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const COLON = 58
const QUOTE = 34
const BACKSLASH = 92

/**
 * Reads a JSON document (RFC 8259) whose maps name each member once (RFC 7493 section 2.3), as of two of the same name
 * the service might take the other one. Throws MalformedJson.
 */
export function parseStrictly(octets: Uint8Array): unknown {
  const text = decode(octets)
  const value = parse(text)
  if (membersIn(value) !== membersWritten(text)) throw new MalformedJson('names a member of a map twice')
  return value
}

function decode(octets: Uint8Array): string {
  try {
    return decoder.decode(octets)
  } catch {
    throw new MalformedJson('is not UTF-8')
  }
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

/** Members of all maps of a text that is JSON: each has one colon outside of texts. */
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

/** Members of all maps of a value; without recursion, as the client decides how deep it is. */
function membersIn(value: unknown): number {
  let members = 0
  const left = [value]
  while (left.length > 0) {
    const each = left.pop()
    const below: readonly unknown[] = Array.isArray(each) ? each : isDocument(each) ? Object.values(each) : []
    if (!Array.isArray(each)) members += below.length
    for (const item of below) left.push(item)
  }
  return members
}
