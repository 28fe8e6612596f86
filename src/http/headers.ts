import { fieldLine } from './field-lines.ts'
import type { NameSet } from './name-set.ts'
import { sameNameAt } from './same-name.ts'

const COLON = 58

/**
 * Creates Headers from fields already validated, each "Name: value\r\n". `hasDate` says whether Date is known to be
 * among them, and `announces` whether Content-Length is, as in replies to HEAD.
 */
let headersFromWire!: (raw: string, hasDate?: boolean, announces?: boolean) => Headers
/** Every field as "Name: value\r\n", even where other code has overridden `toWire`. */
let wireOf!: (headers: Headers) => string
/** Appends `lines`, already validated, each "Name: value\r\n" with one of the names. */
let appendLines!: (headers: Headers, names: NameSet, lines: string) => void
/**
 * Replaces every field with one of the names by `lines`, already validated, each "Name: value\r\n" with one of the
 * names: one pass, however many there are. For fields that are formatted once and put into many messages.
 */
let replaceLines!: (headers: Headers, names: NameSet, lines: string) => void
/** Whether there is a field with one of the names: one pass, however many names there are. */
let hasAnyOf!: (headers: Headers, names: NameSet) => boolean
/** Whether the text occurs anywhere in the fields: a cheap test before one that looks at names. */
let mayHold!: (headers: Headers, text: string) => boolean
/** Whether Content-Length is among the fields although no content follows, as in replies to HEAD. */
let announcesLength!: (headers: Headers) => boolean

export { announcesLength, appendLines, hasAnyOf, headersFromWire, mayHold, replaceLines, wireOf }

/**
 * The header fields of one message, in order and in the sender's spelling.
 *
 * They are kept as one string, as received: a request that is only passed on costs no object per field, and what is
 * read or changed is found by scanning its lines. Values are byte strings (one character per byte, 0x00 to 0xff). Names
 * passed to the methods are case-insensitive. A name that is not a token or a value with CR, LF or NUL cannot get in:
 * set and append throw, so one message can never be split into two (RFC 9112 section 11.1). Functions that take lines
 * without validating them are not methods of the class, so that only the gateway's own code has access to them.
 *
 * Fields that policies replace or add are kept separately until everything is written: a single pass then removes all
 * replaced lines, however many they are.
 */
export class Headers {
  /** "Name: value\r\n" for each field that was there before the changes below. */
  #raw = ''
  /** Names whose lines in `raw` no longer count. */
  #gone: NameSet | null = null
  /** Lines that come after those in `raw`, and all names among them. */
  #added = ''
  #addedNames: NameSet | null = null
  /** The same as [name, value, name, value, …], or null until it is requested. */
  #list: string[] | null = null
  /** Whether Date is known to be in `raw`: needed for every reply, so it is answered without a scan. */
  #hasDate = false
  /** The same for Content-Length. */
  #announces = false

  static {
    headersFromWire = (raw, hasDate = false, announces = false) => {
      const headers = new Headers()
      headers.#raw = raw
      headers.#hasDate = hasDate
      headers.#announces = announces
      return headers
    }
    wireOf = (headers) => headers.#settled()
    announcesLength = (headers) => headers.#announces && headers.has('Content-Length')
    hasAnyOf = (headers, names) => {
      const untouched = headers.#gone === null && (headers.#addedNames === null || !headers.#addedNames.meets(names))
      return names.isIn(untouched ? headers.#raw : headers.#settled())
    }
    mayHold = (headers, text) => headers.#raw.includes(text) || headers.#added.includes(text)
    appendLines = (headers, names, lines) => headers.#append(names, lines)
    replaceLines = (headers, names, lines) => {
      const gone = headers.#gone === null ? names : headers.#gone.with(names)
      if (gone === null || (headers.#addedNames !== null && headers.#addedNames.meets(names))) {
        headers.#become(headers.#settled())
        headers.#gone = names
      } else {
        headers.#gone = gone
      }
      headers.#append(names, lines)
    }
  }

  /** From pairs; throws as `append` does. */
  static of(pairs: Iterable<readonly [name: string, value: string]> = []): Headers {
    const headers = new Headers()
    for (const [name, value] of pairs) headers.append(name, value)
    return headers
  }

  /** Whether the writer need not add a Date field (RFC 9110 section 6.6.1). */
  get dated(): boolean {
    return this.#keepsDate() || this.has('date')
  }

  /** The first value of a field, or undefined. */
  get(name: string): string | undefined {
    const fields = this.#fieldsWith(name)
    const at = lineOf(fields, name, 0)
    return at === -1 ? undefined : valueAt(fields, at + name.length + 2)
  }

  /** The value of a field that consists of one line; undefined where there is none, and null for several lines. */
  single(name: string): string | undefined | null {
    const fields = this.#fieldsWith(name)
    const at = lineOf(fields, name, 0)
    if (at === -1) return undefined
    return lineOf(fields, name, nextLine(fields, at)) === -1 ? valueAt(fields, at + name.length + 2) : null
  }

  /** All values of a field in order, one for each line. */
  getAll(name: string): string[] {
    const fields = this.#fieldsWith(name)
    const values: string[] = []
    for (let at = lineOf(fields, name, 0); at !== -1; at = lineOf(fields, name, nextLine(fields, at)))
      values.push(valueAt(fields, at + name.length + 2))
    return values
  }

  /** All values joined by ", " (RFC 9110 section 5.3), or undefined. Not for Set-Cookie. */
  combined(name: string): string | undefined {
    const value = this.single(name)
    return value === null ? this.getAll(name).join(', ') : value
  }

  has(name: string): boolean {
    return lineOf(this.#fieldsWith(name), name, 0) !== -1
  }

  /**
   * Replaces all fields of that name by one. Throws a TypeError for an invalid name or value, or a name reserved for
   * the message writer.
   */
  set(name: string, value: string): void {
    const line = fieldLine(name, value)
    const raw = this.#settled()
    const at = lineOf(raw, name, 0)
    if (at === -1) return this.#become(raw + line)
    this.#become(raw.slice(0, at) + line + withoutLines(raw.slice(nextLine(raw, at)), name))
  }

  /**
   * Adds a field after the others. Throws a TypeError for an invalid name or value, or a name reserved for the message
   * writer.
   */
  append(name: string, value: string): void {
    const line = fieldLine(name, value)
    this.#become(this.#settled() + line)
  }

  /** Removes all fields of that name; returns whether there was one. */
  delete(name: string): boolean {
    const fields = this.#settled()
    if (lineOf(fields, name, 0) === -1) return false
    if (sameName(name, 'date')) this.#hasDate = false
    this.#become(withoutLines(fields, name))
    return true
  }

  /** The flat list [name, value, name, value, …]; read-only. */
  entries(): readonly string[] {
    this.#list ??= parseFields(this.#settled())
    return this.#list
  }

  *[Symbol.iterator](): Generator<[name: string, value: string]> {
    let name: string | null = null
    for (const text of this.entries()) {
      if (name === null) name = text
      else {
        yield [name, text]
        name = null
      }
    }
  }

  /** Every field as "Name: value\r\n". */
  toWire(): string {
    return this.#settled()
  }

  /** An independent copy. */
  clone(): Headers {
    const copy = new Headers()
    copy.#raw = this.#raw
    copy.#gone = this.#gone
    copy.#added = this.#added
    copy.#addedNames = this.#addedNames
    copy.#list = this.#list
    copy.#hasDate = this.#hasDate
    copy.#announces = this.#announces
    return copy
  }

  #append(names: NameSet, lines: string): void {
    const all = this.#addedNames === null ? names : this.#addedNames.with(names)
    if (all === null) return this.#become(this.#settled() + lines)
    this.#added += lines
    this.#addedNames = all
    this.#list = null
  }

  #keepsDate(): boolean {
    return this.#hasDate && (this.#gone === null || !this.#gone.has('date'))
  }

  /** The part that would contain a field of that name, so that lookups avoid copying the other part. */
  #fieldsWith(name: string): string {
    if (this.#addedNames !== null && this.#addedNames.has(name)) return this.#settled()
    return this.#gone !== null && this.#gone.has(name) ? '' : this.#raw
  }

  /** All fields. The result is not stored: later reads are faster on the parts. */
  #settled(): string {
    const remaining = this.#gone === null ? this.#raw : this.#gone.without(this.#raw)
    return this.#added === '' ? remaining : remaining + this.#added
  }

  #become(raw: string): void {
    this.#hasDate = this.#keepsDate()
    this.#raw = raw
    this.#gone = this.#addedNames = null
    this.#added = ''
    this.#list = null
  }
}

/** Whether two field names are the same, without regard to case (RFC 9110 section 5.1). */
export function sameName(a: string, b: string): boolean {
  return a.length === b.length && sameNameAt(a, 0, b)
}

/**
 * Where the first line with that name begins, at or after `from`, which must be the beginning of a line; -1 if there is
 * none.
 */
function lineOf(raw: string, name: string, from: number): number {
  const { length } = name
  for (let at = from; at < raw.length; at = nextLine(raw, at))
    if (raw.charCodeAt(at + length) === COLON && sameNameAt(raw, at, name)) return at
  return -1
}

function nextLine(raw: string, at: number): number {
  return raw.indexOf('\n', at) + 1
}

function valueAt(raw: string, at: number): string {
  return raw.slice(at, raw.indexOf('\r', at))
}

function withoutLines(raw: string, name: string): string {
  let remaining = ''
  let start = 0
  for (let at = lineOf(raw, name, 0); at !== -1; at = lineOf(raw, name, start)) {
    remaining += raw.slice(start, at)
    start = nextLine(raw, at)
  }
  return start === 0 ? raw : remaining + raw.slice(start)
}

function parseFields(raw: string): string[] {
  const list: string[] = []
  let start = 0
  while (start < raw.length) {
    const end = raw.indexOf('\r\n', start)
    const colon = raw.indexOf(':', start)
    list.push(raw.slice(start, colon), raw.slice(colon + 2, end))
    start = end + 2
  }
  return list
}
