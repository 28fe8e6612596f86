import { GatewayError } from './errors.ts'

/** RFC 9110 section 5.6.2: token. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** RFC 9110 section 5.5: visible characters, obs-text, and space or tab inside; so never CR, LF or NUL. */
const FIELD_VALUE = /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/

/**
 * The header fields of one message, in order and in the sender's spelling.
 *
 * They stay one raw string, as they came off the wire, until something looks inside: a request that is only passed on
 * costs no object per field. Values are byte strings (one character a byte, 0x00 to 0xff). Names given to the methods
 * are matched without regard to case. A name that is no token or a value with CR, LF or NUL cannot get in: set and
 * append throw, so one message can never be split into two (RFC 9112 section 11.1).
 */
export class Headers {
  /** "Name: value\r\n" for each field, or null once `list` holds the truth. Validated by whoever made it. */
  private raw: string | null
  /** [name, value, name, value, …], or null while nobody looked. */
  private list: string[] | null
  /** Whether Date is known to be among them: asked for every reply, so answered without a look inside. */
  private hasDate: boolean

  private constructor(raw: string | null, list: string[] | null, hasDate = false) {
    this.raw = raw
    this.list = list
    this.hasDate = hasDate
  }

  /** From fields already validated, each "Name: value\r\n", and whether Date is among them. For the wire's own use. */
  static fromWire(raw: string, hasDate = false): Headers {
    return new Headers(raw, null, hasDate)
  }

  /** Whether the wire need not add a Date field (RFC 9110 section 6.6.1). */
  get dated(): boolean {
    return this.hasDate || (this.list !== null && this.has('date'))
  }

  /** From pairs; throws as `append` does. */
  static of(pairs: Iterable<readonly [name: string, value: string]> = []): Headers {
    const headers = new Headers('', null)
    for (const [name, value] of pairs) headers.append(name, value)
    return headers
  }

  /** The first value of a field, or undefined. */
  get(name: string): string | undefined {
    if (this.raw === '') return undefined
    const list = this.fields()
    for (let i = 0; i < list.length; i += 2) if (sameName(list[i]!, name)) return list[i + 1]
    return undefined
  }

  /** All values of a field in order, one for each line it was sent in. */
  getAll(name: string): string[] {
    const list = this.fields()
    const values: string[] = []
    for (let i = 0; i < list.length; i += 2) if (sameName(list[i]!, name)) values.push(list[i + 1]!)
    return values
  }

  /** All values joined by ", " (RFC 9110 section 5.3), or undefined. Not for Set-Cookie. */
  combined(name: string): string | undefined {
    const values = this.getAll(name)
    return values.length === 0 ? undefined : values.join(', ')
  }

  has(name: string): boolean {
    return this.get(name) !== undefined
  }

  /** Replaces every field of that name by one. Throws GatewayError 'internal-error' for a bad name or value. */
  set(name: string, value: string): void {
    const list = this.edit()
    checkField(name, value)
    for (let i = 0; i < list.length; i += 2) {
      if (!sameName(list[i]!, name)) continue
      list[i + 1] = value
      removeFrom(list, i + 2, name)
      return
    }
    list.push(name, value)
  }

  /** Adds a field after the others. Throws GatewayError 'internal-error' for a bad name or value. */
  append(name: string, value: string): void {
    checkField(name, value)
    if (this.list === null && this.raw !== '') {
      this.raw += `${name}: ${value}\r\n`
      return
    }
    this.edit().push(name, value)
  }

  /** Removes every field of that name and says whether there was one. */
  delete(name: string): boolean {
    if (this.raw === '') return false
    const list = this.fields()
    for (let i = 0; i < list.length; i += 2) {
      if (!sameName(list[i]!, name)) continue
      this.raw = null
      this.hasDate &&= !sameName(name, 'date')
      removeFrom(list, i, name)
      return true
    }
    return false
  }

  /** The flat list [name, value, name, value, …], to read only. */
  entries(): readonly string[] {
    return this.fields()
  }

  *[Symbol.iterator](): Generator<[name: string, value: string]> {
    const list = this.fields()
    for (let i = 0; i < list.length; i += 2) yield [list[i]!, list[i + 1]!]
  }

  /** Every field as "Name: value\r\n". */
  toWire(): string {
    if (this.raw !== null) return this.raw
    const list = this.list!
    let raw = ''
    for (let i = 0; i < list.length; i += 2) raw += `${list[i]!}: ${list[i + 1]!}\r\n`
    this.raw = raw
    return raw
  }

  /** An independent copy. */
  clone(): Headers {
    return new Headers(this.raw, this.raw === null ? [...this.list!] : null, this.hasDate)
  }

  private fields(): string[] {
    this.list ??= parseFields(this.raw!)
    return this.list
  }

  private edit(): string[] {
    const list = this.fields()
    this.raw = null
    return list
  }
}

/** Whether two field names are the same, without regard to case (RFC 9110 section 5.1). */
export function sameName(a: string, b: string): boolean {
  return a.length === b.length && (a === b || a.toLowerCase() === b.toLowerCase())
}

/** Whether the text may stand as a field value on the wire. */
export function isFieldValue(value: string): boolean {
  return FIELD_VALUE.test(value)
}

/** Whether the text may stand as a field name on the wire. */
export function isToken(name: string): boolean {
  return TOKEN.test(name)
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

function removeFrom(list: string[], start: number, name: string): void {
  let kept = start
  for (let i = start; i < list.length; i += 2) {
    if (sameName(list[i]!, name)) continue
    list[kept] = list[i]!
    list[kept + 1] = list[i + 1]!
    kept += 2
  }
  list.length = kept
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
