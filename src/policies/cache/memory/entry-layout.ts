import type { CacheEntry } from '../store.ts'
import { NODE_WORDS } from './chains.ts'
import { UNIT, UNIT_WORDS } from './layout.ts'
import type { ReplyMemory } from './reply-memory.ts'

/** Words of an entry, from its beginning: its length in units, and whether it can be found. */
export const UNITS = 0
export const STATE = 1
/** Values of the latter: what is dead only takes room. */
export const DEAD = 0
export const ALIVE = 1
/** Its node in the chain of its key. */
export const KEY_NODE = 2
/** How many groups it is in. */
export const GROUPS = 6
export const STATUS = 7
export const FLAGS = 8
/** Octets of the body, -1 where it has none. */
export const BODY = 9
export const KEY = 10
/** How many tags there are, texts, and fields in Vary. */
export const TAGS = 11
export const TEXTS = 12
export const VARY = 13
/** Eight numbers of 64 bits, the last of which is its own. */
export const NUMBERS = 14
export const FIRST_TAG = 30

export const MAX_STALE = 1
export const GUESSED = 2

/** The texts that every entry has come first: URL, fields, ETag, Last-Modified and Content-Language. */
export const OWN_TEXTS = 5
/** Of one that is not there. */
const NO_TEXT = -1

/** An entry on its way into the memory. */
export interface Draft {
  readonly entry: CacheEntry
  /** Octets of its key. */
  readonly key: number
  readonly texts: readonly (string | null)[]
  readonly units: number
}

/** Measures an entry whose key has so many octets. */
export function draftOf(entry: CacheEntry, key: number): Draft {
  const { url, fields, etag, lastModified, language, vary, selecting, groups, body } = entry
  const texts = [url, fields, etag, lastModified, language, ...vary, ...selecting, ...groups]
  const words = FIRST_TAG + NODE_WORDS * (1 + groups.length) + texts.length
  const octets = texts.reduce((sum, text) => sum + (text?.length ?? 0), key + (body?.length ?? 0))
  return { entry, key, texts, units: Math.ceil(words / UNIT_WORDS + octets / UNIT) }
}

/** The node of a tag of the entry that begins at that word. */
export function tagNode(at: number, tag: number): number {
  return at + FIRST_TAG + tag * NODE_WORDS
}

/** Writes an entry, all but its nodes, from that word on. */
export function writeEntry(memory: ReplyMemory, at: number, draft: Draft, key: Buffer, id: number): void {
  const { entry, texts } = draft
  const { words, numbers, octets } = memory
  const { body, groups } = entry
  words[at + UNITS] = draft.units
  words[at + STATUS] = entry.status
  words[at + FLAGS] = (entry.maxStale ? MAX_STALE : 0) | (entry.guessed ? GUESSED : 0)
  words[at + BODY] = body === null ? -1 : body.length
  words[at + KEY] = draft.key
  words[at + TAGS] = 1 + groups.length
  words[at + TEXTS] = texts.length
  words[at + VARY] = entry.vary.length
  words[at + GROUPS] = groups.length
  const { born, lifetime, staleWhileRevalidate, staleIfError, date, modified, size } = entry
  const all = [born, lifetime, staleWhileRevalidate, staleIfError, date, modified, size, id]
  numbers.set(all, (at + NUMBERS) / UNIT_WORDS)
  const lengths = tagNode(at, 1 + groups.length)
  // Of this entry alone: Node.js ends the process where a text is written into a buffer that goes on for more than 4 GiB.
  const room = octets.subarray(memory.octetOf(lengths + texts.length), memory.octetOf(at) + draft.units * UNIT)
  key.copy(room, 0, 0, draft.key)
  let octet = draft.key
  for (const [i, text] of texts.entries()) {
    words[lengths + i] = text === null ? NO_TEXT : text.length
    if (text !== null) octet += room.write(text, octet, 'latin1')
  }
  body?.copyTo(room, octet)
}
