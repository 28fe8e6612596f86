/** A bare item as far as policies need it: a number, a boolean, the text of a String or Token; null for anything else. */
export type BareItem = number | boolean | string | null

/** Parses a Dictionary (RFC 9651 section 4.2.2); parameters are left out. Null if it is invalid. */
export function parseDictionary(text: string): ReadonlyMap<string, BareItem> | null {
  const reader = new Reader(text)
  const members = new Map<string, BareItem>()
  const valid = reader.members(() => {
    const key = reader.take(KEY)
    if (key === null) return false
    const member = reader.take(EQUALS) === null ? { value: true } : reader.member()
    if (member === null || !reader.parameters()) return false
    members.delete(key)
    members.set(key, member.value)
    return true
  })
  return valid ? members : null
}

/** The Strings of a List (RFC 9651 section 4.2.1); members of other types are left out. Null if it is invalid. */
export function parseStrings(text: string): readonly string[] | null {
  const reader = new Reader(text)
  const strings: string[] = []
  const valid = reader.members(() => {
    const quoted = reader.next === '"'
    const member = reader.member()
    if (member === null || !reader.parameters()) return false
    if (quoted && typeof member.value === 'string') strings.push(member.value)
    return true
  })
  return valid ? strings : null
}

/** The text of an Item that is a String (RFC 9651 section 4.2.3); parameters are left out. Null for anything else. */
export function parseString(text: string): string | null {
  const reader = new Reader(text)
  reader.take(SPACES)
  const quoted = reader.next === '"'
  const item = reader.member()
  if (!quoted || item === null || !reader.parameters()) return null
  reader.take(SPACES)
  return reader.atEnd && typeof item.value === 'string' ? item.value : null
}

/** An Item of an Inner List. */
export interface ListedItem {
  /** As written, with its parameters. */
  readonly text: string
  readonly value: BareItem
  readonly parameters: ReadonlyMap<string, BareItem>
}

/** An Inner List (RFC 9651 section 3.1.1). */
export interface InnerList {
  /** As written, with its parameters. */
  readonly text: string
  readonly items: readonly ListedItem[]
  readonly parameters: ReadonlyMap<string, BareItem>
}

/** Parses a Dictionary of Inner Lists. Null if it is invalid, repeats a key or a parameter, or has members of other types. */
export function parseInnerLists(text: string): ReadonlyMap<string, InnerList> | null {
  return parseMembers(text, (reader) => reader.innerList())
}

/** Parses a Dictionary of Byte Sequences; their parameters are left out. Null as for `parseInnerLists`. */
export function parseByteSequences(text: string): ReadonlyMap<string, Buffer> | null {
  return parseMembers(text, (reader) => {
    const bytes = reader.bytes()
    return bytes !== null && reader.parameters() ? bytes : null
  })
}

function parseMembers<Member>(text: string, read: (reader: Reader) => Member | null): Map<string, Member> | null {
  const reader = new Reader(text)
  const members = new Map<string, Member>()
  const valid = reader.members(() => {
    const key = reader.take(KEY)
    if (key === null || members.has(key) || reader.take(EQUALS) === null) return false
    const member = read(reader)
    if (member !== null) members.set(key, member)
    return member !== null
  })
  return valid ? members : null
}

const KEY = /[a-z*][a-z0-9_.*-]*/y
const EQUALS = /=/y
const SPACES = / */y
const BLANKS = /[ \t]*/y
const COMMA = /,/y
const SEMICOLON = /;/y
const OPEN = /\(/y
const CLOSE = /\)/y
const NUMBER = /-?(?:\d{1,12}\.\d{1,3}|\d{1,15})(?![\d.])/y
const STRING = /"(?:[ !#-[\]-~]|\\["\\])*"/y
const TOKEN = /[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*/y
const BYTES = /:[A-Za-z0-9+/=]*:/y
const BOOLEAN = /\?[01]/y
const DATE = /@-?\d{1,15}(?![\d.])/y
const DISPLAY = /%"(?:[ !#$&-~]|%[\da-f]{2})*"/y

class Reader {
  private readonly text: string
  private at = 0

  constructor(text: string) {
    this.text = text
  }

  get next(): string {
    return this.text.charAt(this.at)
  }

  get atEnd(): boolean {
    return this.at === this.text.length
  }

  /** Consumes and returns what the sticky pattern matches at the current position, or null. */
  take(pattern: RegExp): string | null {
    pattern.lastIndex = this.at
    const match = pattern.exec(this.text)
    if (match === null) return null
    this.at = pattern.lastIndex
    return match[0]
  }

  /** Members separated by commas up to the end; an empty list is valid too. */
  members(read: () => boolean): boolean {
    this.take(SPACES)
    while (this.next !== '') {
      if (!read()) return false
      this.take(BLANKS)
      if (this.next === '') return true
      if (this.take(COMMA) === null) return false
      this.take(BLANKS)
      if (this.next === '') return false
    }
    return true
  }

  /** An item or an inner list, whose value is null. */
  member(): { value: BareItem } | null {
    if (this.take(OPEN) === null) return this.bareItem()
    for (;;) {
      this.take(SPACES)
      if (this.take(CLOSE) !== null) return { value: null }
      if (this.bareItem() === null || !this.parameters()) return null
      if (this.next !== ' ' && this.next !== ')') return null
    }
  }

  parameters(): boolean {
    while (this.take(SEMICOLON) !== null) {
      this.take(SPACES)
      if (this.take(KEY) === null) return false
      if (this.take(EQUALS) !== null && this.bareItem() === null) return false
    }
    return true
  }

  /** An Inner List with all parameters; null if there is none here, or a parameter is repeated. */
  innerList(): InnerList | null {
    const from = this.at
    if (this.take(OPEN) === null) return null
    const items: ListedItem[] = []
    for (;;) {
      this.take(SPACES)
      if (this.take(CLOSE) !== null) break
      const begin = this.at
      const item = this.bareItem()
      const parameters = item === null ? null : this.namedParameters()
      if (item === null || parameters === null) return null
      if (this.next !== ' ' && this.next !== ')') return null
      items.push({ text: this.text.slice(begin, this.at), value: item.value, parameters })
    }
    const parameters = this.namedParameters()
    return parameters === null ? null : { text: this.text.slice(from, this.at), items, parameters }
  }

  /** The bytes of a Byte Sequence; null if there is none here, or it is not canonically encoded. */
  bytes(): Buffer | null {
    const written = this.take(BYTES)?.slice(1, -1)
    if (written === undefined) return null
    const bytes = Buffer.from(written, 'base64')
    return bytes.toString('base64') === written ? bytes : null
  }

  /** Parameters by name; null if they are invalid or one is repeated. */
  private namedParameters(): Map<string, BareItem> | null {
    const parameters = new Map<string, BareItem>()
    while (this.take(SEMICOLON) !== null) {
      this.take(SPACES)
      const key = this.take(KEY)
      if (key === null || parameters.has(key)) return null
      const item = this.take(EQUALS) === null ? { value: true } : this.bareItem()
      if (item === null) return null
      parameters.set(key, item.value)
    }
    return parameters
  }

  private bareItem(): { value: BareItem } | null {
    const number = this.take(NUMBER)
    if (number !== null) return { value: Number(number) }
    const string = this.take(STRING)
    if (string !== null) return { value: string.slice(1, -1).replaceAll(/\\(.)/g, '$1') }
    const token = this.take(TOKEN)
    if (token !== null) return { value: token }
    const boolean = this.take(BOOLEAN)
    if (boolean !== null) return { value: boolean === '?1' }
    const display = this.take(DISPLAY)
    if (display !== null) return isUtf8(display) ? { value: null } : null
    return this.take(BYTES) === null && this.take(DATE) === null ? null : { value: null }
  }
}

function isUtf8(encoded: string): boolean {
  try {
    decodeURIComponent(encoded.slice(2, -1))
    return true
  } catch {
    return false
  }
}
