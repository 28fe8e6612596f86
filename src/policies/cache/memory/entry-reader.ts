import { Bytes } from '../../../http/body.ts'
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

/** Some entry, as far as is needed to know what it answers. */
export interface Found extends Variant {
  /** The word that it begins at. */
  readonly at: number
  /** No other entry has it. */
  readonly id: number
  /** All of it, once it was read and as long as it is kept. */
  entry: CacheEntry | null
}

/** Where the parts of an entry are. */
interface Frame {
  /** The word with the length of the first text, and how many texts there are. */
  readonly lengths: number
  readonly count: number
  /** Octets: where the texts begin, the body, and what comes behind the entry. */
  readonly texts: number
  readonly body: number
  readonly end: number
}

const NONE: readonly string[] = []

/**
 * Reads entries. Another thread may be writing what is read: whatever that looks like, nothing is read beyond the entry, and who reads
 * looks afterwards whether it was still there. Null is for what cannot be an entry.
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

  /** Whether the entry has that key, which has so many octets. */
  hasKey(at: number, key: Buffer, length: number): boolean {
    const { memory } = this
    if (memory.word(at + KEY) !== length) return false
    const octet = this.keyOctet(at)
    if (octet < 0 || octet + length > memory.octets.length) return false
    return memory.octets.compare(key, 0, length, octet, octet + length) === 0
  }

  /** The octets of its key: for who may write, as they stay in the memory. */
  key(at: number): Buffer {
    const octet = this.keyOctet(at)
    return this.memory.octets.subarray(octet, octet + this.memory.word(at + KEY))
  }

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

  /** What the entry answers. */
  find(at: number): Found {
    const { memory } = this
    const texts = this.texts(at)
    const [vary, selecting] = selectorsOf(texts, memory.word(at + VARY))
    return { at, id: this.number(at, 7), vary, selecting, language: texts[4] ?? null, entry: null }
  }

  /** All of it; `known` is its body where the thread has that already. */
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
      body: hasBody ? (known ?? Bytes.fromBuffer(memory.octets.subarray(frame.body, frame.end)).kept()) : null,
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

  private keyOctet(at: number): number {
    const { memory } = this
    return memory.octetOf(tagNode(at, memory.word(at + TAGS)) + memory.word(at + TEXTS))
  }

  private texts(at: number): readonly (string | null)[] {
    const frame = this.frameOf(at)
    return frame === null ? [] : this.textsOf(frame)
  }

  /** Null where it cannot be an entry. */
  private frameOf(at: number): Frame | null {
    const { memory } = this
    const words = memory.word(at + UNITS) * UNIT_WORDS
    const [tags, count, key] = [memory.word(at + TAGS), memory.word(at + TEXTS), memory.word(at + KEY)]
    if (words <= FIRST_TAG || words > this.end - at || tags < 0 || count < 0 || key < 0) return null
    const lengths = tagNode(at, tags)
    if (lengths + count > at + words) return null
    const texts = memory.octetOf(lengths + count) + key
    let body = texts
    for (let i = 0; i < count; i++) body += Math.max(0, memory.word(lengths + i))
    const end = body + Math.max(0, memory.word(at + BODY))
    return end > memory.octetOf(at + words) ? null : { lengths, count, texts, body, end }
  }

  private textsOf({ lengths, count, texts, body }: Frame): readonly (string | null)[] {
    const { memory } = this
    const text = memory.octets.toString('latin1', texts, body)
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

function strings(texts: readonly (string | null)[]): string[] {
  return texts.filter((text) => text !== null)
}
