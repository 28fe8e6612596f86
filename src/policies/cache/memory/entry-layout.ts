import type { CacheEntry } from '../store.ts'
import { NODE_WORDS } from './chains.ts'
import { UNIT, UNIT_WORDS } from './layout.ts'
import type { ReplyMemory } from './reply-memory.ts'

/** Offsets of the words of an entry: its length in units, and its state. */
export const UNITS = 0
export const STATE = 1
/** States: a dead entry only takes up space. */
export const DEAD = 0
export const ALIVE = 1
/** Its node in the chain of its bucket. */
export const KEY_NODE = 2
/** Number of cache groups. */
export const GROUPS = 6
export const STATUS = 7
export const FLAGS = 8
/** Length of the body in bytes, -1 if it has none. */
export const BODY = 9
/** Length of the key in bytes. */
export const KEY = 10
/** Number of tags, of texts, and of header names in Vary. */
export const TAGS = 11
export const TEXTS = 12
export const VARY = 13
/** Eight numbers of 64 bits; the last one is the id of the entry. */
export const NUMBERS = 14
export const FIRST_TAG = 30

export const MAX_STALE = 1
export const GUESSED = 2

/** Number of texts that every entry has; they come first: URL, fields, ETag, Last-Modified and Content-Language. */
export const OWN_TEXTS = 5
/** Length of a text that is null. */
const NO_TEXT = -1

/** An entry to be written. */
export interface Draft {
  readonly entry: CacheEntry
  /** Length of its key in bytes. */
  readonly key: number
  readonly texts: readonly (string | null)[]
  readonly units: number
}

/** Measures an entry; `key` is the length of its key in bytes. */
export function draftOf(entry: CacheEntry, key: number): Draft {
  const { url, fields, etag, lastModified, language, vary, selecting, groups, body } = entry
  const texts = [url, fields, etag, lastModified, language, ...vary, ...selecting, ...groups]
  const words = FIRST_TAG + NODE_WORDS * (1 + groups.length) + texts.length
  const bytes = texts.reduce((sum, text) => sum + (text?.length ?? 0), key + (body?.length ?? 0))
  return { entry, key, texts, units: Math.ceil(words / UNIT_WORDS + bytes / UNIT) }
}

/** The node of a tag of the entry that begins at that word. */
export function tagNode(at: number, tag: number): number {
  return at + FIRST_TAG + tag * NODE_WORDS
}

/** Writes an entry, except for its nodes, at that word. */
export function writeEntry(memory: ReplyMemory, at: number, draft: Draft, key: Buffer, id: number): void {
  const { entry, texts } = draft
  const { words, numbers, bytes } = memory
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
  // Limited to this entry: Node.js aborts if a string is written into a buffer of which more than 4 GiB are left.
  const room = bytes.subarray(memory.byteOf(lengths + texts.length), memory.byteOf(at) + draft.units * UNIT)
  key.copy(room, 0, 0, draft.key)
  let byte = draft.key
  for (const [i, text] of texts.entries()) {
    words[lengths + i] = text === null ? NO_TEXT : text.length
    if (text !== null) byte += room.write(text, byte, 'latin1')
  }
  body?.copyTo(room, byte)
}
