import { AS_TEXT, Bytes, HEAD_ROOM } from '../../../http/body.ts'
import { AT_ONCE } from '../stored-body.ts'
import type { CacheEntry, Variant } from '../store.ts'
import {
  BODY,
  FIRST_TAG,
  FLAGS,
  GROUPS,
  GUESSED,
  KEY,
  MAX_STALE,
  NUMBERS,
  OWN_TEXTS,
  STATUS,
  TAGS,
  tagNode,
  TEXTS,
  UNITS,
  VARY,
} from './entry-layout.ts'
import { UNIT_WORDS } from './layout.ts'
import type { ReplyMemory } from './reply-memory.ts'

/** The part of an entry that tells which requests it answers. */
export interface Found extends Variant {
  /** Its first word. */
  readonly at: number
  /** Unique among all entries ever stored in this memory. */
  readonly id: number
  /** The whole entry, once this thread has read it. */
  entry: CacheEntry | null
}

/** The positions of the parts of an entry. */
interface Frame {
  /** The word with the length of the first text, and the number of texts. */
  readonly lengths: number
  readonly count: number
  /** In bytes: where the texts begin, where the body begins, and where it ends. */
  readonly texts: number
  readonly body: number
  readonly end: number
}

const NONE: readonly string[] = []

/**
 * Reads entries while other threads may be writing to the same memory. Whatever is read, nothing beyond the entry is accessed. The
 * caller then has to check the version of the bucket before it uses the result. What cannot be an entry is null.
 */
export class EntryReader {
  private readonly memory: ReplyMemory
  private readonly end: number

  constructor(memory: ReplyMemory) {
    this.memory = memory
    const { ring, units } = memory.layout
    this.end = ring + units * UNIT_WORDS
  }

  /** Whether an entry can begin at that word. */
  isPlace(at: number): boolean {
    return at >= this.memory.layout.ring && at < this.end - FIRST_TAG && at % UNIT_WORDS === 0
  }

  /** Whether the entry has the key in the first `length` bytes of the buffer. */
  hasKey(at: number, key: Buffer, length: number): boolean {
    const { memory } = this
    if (memory.word(at + KEY) !== length) return false
    const byte = this.keyByte(at)
    if (byte < 0 || byte + length > memory.bytes.length) return false
    return memory.bytes.compare(key, 0, length, byte, byte + length) === 0
  }

  /** A view of its key. Only valid while this thread has the write lock. */
  key(at: number): Buffer {
    const byte = this.keyByte(at)
    return this.memory.bytes.subarray(byte, byte + this.memory.word(at + KEY))
  }

  /** When its age was 0. */
  born(at: number): number {
    return this.number(at, 0)
  }

  url(at: number): string {
    return this.texts(at)[0] ?? ''
  }

  groups(at: number): readonly string[] {
    const count = this.memory.word(at + GROUPS)
    return count <= 0 ? NONE : strings(this.texts(at).slice(-count))
  }

  /** Its number. */
  id(at: number): number {
    return this.number(at, 7)
  }

  /** Which requests the entry answers. */
  find(at: number): Found {
    const { memory } = this
    const texts = this.texts(at)
    const [vary, selecting] = selectorsOf(texts, memory.word(at + VARY))
    return { at, id: this.id(at), vary, selecting, language: texts[4] ?? null, entry: null }
  }

  /** The whole entry; `known` is its body if this thread already has a copy of it. */
  read(at: number, known: Bytes | undefined): CacheEntry | null {
    const { memory } = this
    const frame = this.frameOf(at)
    if (frame === null) return null
    const texts = this.textsOf(frame)
    const flags = memory.word(at + FLAGS)
    const [vary, selecting] = selectorsOf(texts, memory.word(at + VARY))
    const hasBody = memory.word(at + BODY) >= 0
    return {
      url: texts[0] ?? '',
      status: memory.word(at + STATUS),
      fields: texts[1] ?? '',
      body: hasBody ? (known ?? copyOf(memory.bytes, frame.body, frame.end)) : null,
      born: this.number(at, 0),
      lifetime: this.number(at, 1),
      staleWhileRevalidate: this.number(at, 2),
      staleIfError: this.number(at, 3),
      maxStale: (flags & MAX_STALE) !== 0,
      guessed: (flags & GUESSED) !== 0,
      etag: texts[2] ?? null,
      lastModified: texts[3] ?? null,
      date: this.number(at, 4),
      modified: this.number(at, 5),
      vary,
      selecting,
      language: texts[4] ?? null,
      groups: this.groups(at),
      size: this.number(at, 6),
    }
  }

  private number(at: number, which: number): number {
    return this.memory.number((at + NUMBERS) / UNIT_WORDS + which)
  }

  private keyByte(at: number): number {
    const { memory } = this
    return memory.byteOf(tagNode(at, memory.word(at + TAGS)) + memory.word(at + TEXTS))
  }

  private texts(at: number): readonly (string | null)[] {
    const frame = this.frameOf(at)
    return frame === null ? [] : this.textsOf(frame)
  }

  /** Null if it cannot be an entry. */
  private frameOf(at: number): Frame | null {
    const { memory } = this
    const words = memory.word(at + UNITS) * UNIT_WORDS
    const [tags, count, key] = [memory.word(at + TAGS), memory.word(at + TEXTS), memory.word(at + KEY)]
    if (words <= FIRST_TAG || words > this.end - at || tags < 0 || count < 0 || key < 0) return null
    const lengths = tagNode(at, tags)
    if (lengths + count > at + words) return null
    const texts = memory.byteOf(lengths + count) + key
    let body = texts
    for (let i = 0; i < count; i++) body += Math.max(0, memory.word(lengths + i))
    const end = body + Math.max(0, memory.word(at + BODY))
    return end > memory.byteOf(at + words) ? null : { lengths, count, texts, body, end }
  }

  private textsOf({ lengths, count, texts, body }: Frame): readonly (string | null)[] {
    const { memory } = this
    const text = memory.bytes.toString('latin1', texts, body)
    const all: (string | null)[] = []
    let from = 0
    for (let i = 0; i < count; i++) {
      const length = memory.word(lengths + i)
      all.push(length < 0 ? null : text.slice(from, from + length))
      from += Math.max(0, length)
    }
    return all
  }
}

function selectorsOf(
  texts: readonly (string | null)[],
  count: number,
): readonly [vary: readonly string[], selecting: readonly string[]] {
  if (count <= 0) return [NONE, NONE]
  const both = strings(texts.slice(OWN_TEXTS, OWN_TEXTS + 2 * count))
  return [both.slice(0, count), both.slice(count)]
}

/**
 * Copies a body out of the shared memory, in the form in which it is sent: as text, with room for a head in front of it, or as is if
 * it is sent in pieces.
 */
function copyOf(memory: Buffer, start: number, end: number): Bytes {
  const length = end - start
  if (length <= AS_TEXT || length > AT_ONCE) return Bytes.fromBuffer(memory.subarray(start, end)).detached()
  const whole = Buffer.allocUnsafeSlow(HEAD_ROOM + length)
  memory.copy(whole, HEAD_ROOM, start, end)
  return Bytes.withRoom(whole)
}

function strings(texts: readonly (string | null)[]): string[] {
  return texts.filter((text) => text !== null)
}
