import { GatewayError } from './errors.ts'
import type { NameSet } from './name-set.ts'
import { sameNameAt } from './same-name.ts'

const COLON = 58
/** RFC 9110 section 5.6.2: token. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** RFC 9110 section 5.5: visible characters, obs-text, and space or tab inside; so never CR, LF or NUL. */
const FIELD_VALUE = /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/

/**
 * The header fields of one message, in order and in the sender's spelling.
 *
 * They stay one string, as they came off the wire: a request that is only passed on costs no object per field, and
 * what is read or changed is found by a pass over its lines. Values are byte strings (one character a byte, 0x00 to
 * 0xff). Names given to the methods are matched without regard to case. A name that is no token or a value with CR, LF
 * or NUL cannot get in: set and append throw, so one message can never be split into two (RFC 9112 section 11.1).
 *
 * What policies put in place of other fields, or add, is kept apart until all is written: one pass then takes out what
 * all of them replace, however many they are.
 */
export class Headers {
  /** "Name: value\r\n" for each field that was there before the changes below. */
  private raw: string
  /** Names whose lines in `raw` no longer count. */
  private gone: NameSet | null = null
  /** Lines that come after those in `raw`, and all names among them. */
  private added = ''
  private addedNames: NameSet | null = null
  /** The same as [name, value, name, value, …], or null while nobody asked for it. */
  private list: string[] | null = null
  /** Whether Date is known to be in `raw`: asked for every reply, so answered without a look inside. */
  private hasDate: boolean

  private constructor(raw: string, hasDate: boolean) {
    this.raw = raw
    this.hasDate = hasDate
  }

  /** From fields already validated, each "Name: value\r\n", and whether Date is among them. For the wire's own use. */
  static fromWire(raw: string, hasDate = false): Headers {
    return new Headers(raw, hasDate)
  }

  /** From pairs; throws as `append` does. */
  static of(pairs: Iterable<readonly [name: string, value: string]> = []): Headers {
    const headers = new Headers('', false)
    for (const [name, value] of pairs) headers.append(name, value)
    return headers
  }

  /** Whether the wire need not add a Date field (RFC 9110 section 6.6.1). */
  get dated(): boolean {
    return this.keepsDate() || this.has('date')
  }

  /** The first value of a field, or undefined. */
  get(name: string): string | undefined {
    const fields = this.fieldsWith(name)
    const at = lineOf(fields, name, 0)
    return at === -1 ? undefined : valueAt(fields, at + name.length + 2)
  }

  /** The value of a field that was sent in one line; undefined for none, and null for several. */
  single(name: string): string | undefined | null {
    const fields = this.fieldsWith(name)
    const at = lineOf(fields, name, 0)
    if (at === -1) return undefined
    return lineOf(fields, name, nextLine(fields, at)) === -1 ? valueAt(fields, at + name.length + 2) : null
  }

  /** All values of a field in order, one for each line it was sent in. */
  getAll(name: string): string[] {
    const fields = this.fieldsWith(name)
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
    return lineOf(this.fieldsWith(name), name, 0) !== -1
  }

  /** Whether there is a field with one of the names: one pass, however many they are. */
  hasAny(names: NameSet): boolean {
    const untouched = this.gone === null && (this.addedNames === null || !this.addedNames.meets(names))
    return names.isIn(untouched ? this.raw : this.settled())
  }

  /** Replaces every field of that name by one. Throws GatewayError 'internal-error' for a bad name or value. */
  set(name: string, value: string): void {
    const line = fieldLine(name, value)
    const raw = this.settled()
    const at = lineOf(raw, name, 0)
    if (at === -1) return this.become(raw + line)
    this.become(raw.slice(0, at) + line + withoutLines(raw.slice(nextLine(raw, at)), name))
  }

  /** Adds a field after the others. Throws GatewayError 'internal-error' for a bad name or value. */
  append(name: string, value: string): void {
    const line = fieldLine(name, value)
    this.become(this.settled() + line)
  }

  /** Adds `lines`, already validated and each "Name: value\r\n" with one of the names, after the others. */
  appendLines(names: NameSet, lines: string): void {
    const all = this.addedNames === null ? names : this.addedNames.with(names)
    if (all === null) return this.become(this.settled() + lines)
    this.added += lines
    this.addedNames = all
    this.list = null
  }

  /** Removes every field of that name and says whether there was one. */
  delete(name: string): boolean {
    const fields = this.settled()
    if (lineOf(fields, name, 0) === -1) return false
    if (sameName(name, 'date')) this.hasDate = false
    this.become(withoutLines(fields, name))
    return true
  }

  /**
   * Puts `lines`, already validated and each "Name: value\r\n" with one of the names, in place of every field with one
   * of them: one pass, however many there are. For fields that are made once and put into many messages.
   */
  replace(names: NameSet, lines: string): void {
    const gone = this.gone === null ? names : this.gone.with(names)
    if (gone === null || (this.addedNames !== null && this.addedNames.meets(names))) {
      this.become(this.settled())
      this.gone = names
    } else {
      this.gone = gone
    }
    this.appendLines(names, lines)
  }

  /** The flat list [name, value, name, value, …], to read only. */
  entries(): readonly string[] {
    this.list ??= parseFields(this.settled())
    return this.list
  }

  *[Symbol.iterator](): Generator<[name: string, value: string]> {
    const list = this.entries()
    for (let i = 0; i < list.length; i += 2) yield [list[i]!, list[i + 1]!]
  }

  /** Every field as "Name: value\r\n". */
  toWire(): string {
    return this.settled()
  }

  /** An independent copy. */
  clone(): Headers {
    return new Headers(this.settled(), this.keepsDate())
  }

  private keepsDate(): boolean {
    return this.hasDate && (this.gone === null || !this.gone.has('date'))
  }

  /** The part in which a field of that name would be, if there is one: a look at the other part may be a copy of it. */
  private fieldsWith(name: string): string {
    if (this.addedNames !== null && this.addedNames.has(name)) return this.settled()
    return this.gone !== null && this.gone.has(name) ? '' : this.raw
  }

  /** All fields. Not kept: whoever reads one later finds it faster in what is there now. */
  private settled(): string {
    const kept = this.gone === null ? this.raw : this.gone.without(this.raw)
    return this.added === '' ? kept : kept + this.added
  }

  private become(raw: string): void {
    this.hasDate = this.keepsDate()
    this.raw = raw
    this.gone = this.addedNames = null
    this.added = ''
    this.list = null
  }
}

/** Whether two field names are the same, without regard to case (RFC 9110 section 5.1). */
export function sameName(a: string, b: string): boolean {
  return a.length === b.length && sameNameAt(a, 0, b)
}

/** Whether the text may stand as a field value on the wire. */
export function isFieldValue(value: string): boolean {
  return FIELD_VALUE.test(value)
}

/** Whether the text may stand as a field name on the wire. */
export function isToken(name: string): boolean {
  return TOKEN.test(name)
}

/** "Name: value\r\n". Throws GatewayError 'internal-error' for a bad name or value. */
export function fieldLine(name: string, value: string): string {
  checkField(name, value)
  return `${name}: ${value}\r\n`
}

function checkField(name: string, value: string): void {
  if (!TOKEN.test(name))
    throw new GatewayError('internal-error', undefined, {
      cause: new TypeError(`header name ${JSON.stringify(name)} is not a token`),
    })
  if (!FIELD_VALUE.test(value))
    throw new GatewayError('internal-error', undefined, {
      cause: new TypeError(`value of header ${name} holds a character that is not allowed on the wire`),
    })
}

/** Where the first line with that name begins, at or after `from`, the beginning of a line; -1 if there is none. */
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
  let kept = ''
  let start = 0
  for (let at = lineOf(raw, name, 0); at !== -1; at = lineOf(raw, name, start)) {
    kept += raw.slice(start, at)
    start = nextLine(raw, at)
  }
  return start === 0 ? raw : kept + raw.slice(start)
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
