import { GatewayError } from '../core/errors.ts'
import { CR, COLON, foldedToken, HTAB, HYPHEN, LF, ODD, SP, valueOctet } from '../http/characters.ts'
import { Known, nextHash, type FieldNames } from '../http/field-names.ts'

/** Returned by the parsers while the message part is not complete. */
export const INCOMPLETE = -1

/** A field section is not what RFC 9112 section 5 allows; which error it becomes depends on who sent it. */
export class MalformedMessage extends GatewayError {
  constructor(detail: string) {
    super('bad-request', detail)
  }
}

/** A field that was taken out of a request although its sender may have meant the service to have it. */
export interface DroppedField {
  readonly reason: 'folded' | 'odd' | 'identity'
  readonly name: string
}

/**
 * Reads a field section (RFC 9112 section 5) and sorts it: what is the wire's own business is taken out into fields
 * of this object, all else stays one raw string. One instance is used for message after message; whoever wants a
 * value beyond the next `parse` copies it (they are strings and numbers).
 *
 * Refused, with the reason in the error: bare CR or LF, NUL and other controls, obs-fold (section 5.2), whitespace
 * before the colon (section 5.1), empty names, and more lines than the limit.
 */
export class FieldSection {
  /** End-to-end fields, each "Name: value\r\n". */
  raw = ''
  host: string | null = null
  hostLines = 0
  connection: string | null = null
  contentLength: string | null = null
  transferEncoding: string | null = null
  te: string | null = null
  upgrade: string | null = null
  expect: string | null = null
  keepAlive: string | null = null
  forwardedFor: string | null = null
  forwardedProto: string | null = null
  forwardedHost: string | null = null
  forwarded: string | null = null
  traceparent: string | null = null
  tracestate: string | null = null
  /** Claims that only a trusted proxy may make, each "Name: value\r\n". */
  claims = ''
  hasDate = false
  /** Some name that is passed on has other characters than letters, digits and hyphens. */
  oddNames = false
  /** Null where there are none. */
  dropped: DroppedField[] | null = null

  private readonly names: FieldNames
  private readonly maximum: number
  private readonly strict: boolean
  /** For each line that needs attention: line start, colon, value start, value end, next line. */
  private readonly marks: Int32Array
  /** What each of these lines is. */
  private readonly kinds: Known[] = []

  /** `strict` takes out every field whose name has other characters than letters, digits and hyphens. */
  constructor(names: FieldNames, maximum: number, strict = false) {
    this.names = names
    this.maximum = maximum
    this.strict = strict
    this.marks = new Int32Array(maximum * MARK_SIZE)
  }

  /**
   * Reads the section that begins at `start`, up to and with the empty line.
   * Returns the offset behind it, or INCOMPLETE. Throws MalformedMessage, or GatewayError 'headers-too-large'.
   */
  parse(octets: Buffer, start: number, end: number): number {
    let marked = 0
    let lines = 0
    let dated = false
    let oddNames = false
    let at = start
    for (;;) {
      // 1. The empty line ends the section.
      if (at >= end) return INCOMPLETE
      if (octets[at] === CR) {
        if (at + 1 >= end) return INCOMPLETE
        if (octets[at + 1] !== LF) throw new MalformedMessage('A CR in the head is not followed by LF.')
        break
      }
      if (++lines > this.maximum)
        throw new GatewayError('headers-too-large', `There are more than ${this.maximum} header fields.`)

      // 2. The name, hashed as it is checked.
      const lineStart = at
      let hash = this.names.seed
      let odd = false
      for (;;) {
        let folded = 0
        while (at < end && (folded = foldedToken[octets[at]!]!) > ODD) {
          hash = nextHash(hash, folded)
          at++
        }
        if (at >= end || folded !== ODD) break
        hash = nextHash(hash, HYPHEN)
        odd = true
        at++
      }
      if (at >= end) return INCOMPLETE
      if (octets[at] !== COLON || at === lineStart)
        throw new MalformedMessage(nameProblem(octets[at]!, at === lineStart))
      const colon = at++

      // 3. The value, without the whitespace around it.
      while (at < end && (octets[at] === SP || octets[at] === HTAB)) at++
      const valueStart = at
      while (at < end && valueOctet[octets[at]!] === 1) at++
      if (at + 1 >= end) {
        if (at < end && octets[at] !== CR) throw new MalformedMessage(valueProblem(octets[at]!))
        return INCOMPLETE
      }
      if (octets[at] !== CR || octets[at + 1] !== LF) throw new MalformedMessage(valueProblem(octets[at]!))
      let valueEnd = at
      while (valueEnd > valueStart && (octets[valueEnd - 1] === SP || octets[valueEnd - 1] === HTAB)) valueEnd--
      at += 2

      // 4. Lines that are known, or not in the one form that is passed on, are marked for later.
      let known = this.names.lookup(hash, octets, lineStart, colon, odd)
      if (odd && known === Known.none) {
        if (this.strict) known = Known.odd
        else oddNames = true
      }
      const canonical = valueStart === colon + 2 && octets[colon + 1] === SP && valueEnd === at - 2
      if (canonical && (known === Known.none || known === Known.date)) {
        if (known === Known.date) dated = true
        continue
      }
      const marks = this.marks
      marks[marked] = lineStart
      marks[marked + 1] = colon
      marks[marked + 2] = valueStart
      marks[marked + 3] = valueEnd
      marks[marked + 4] = at
      this.kinds[marked / MARK_SIZE] = known
      marked += MARK_SIZE
    }
    this.sort(octets.toString('latin1', start, at), start, marked)
    if (dated) this.hasDate = true
    this.oddNames = oddNames
    return at + 2
  }

  /** The claims whose names pass are fields like any other from here on, and all that is left in `claims`. */
  believe(passes: (name: string, value: string) => boolean): void {
    if (this.claims === '') return
    const passed = new Set<string>()
    let claims = ''
    for (const line of this.claims.split('\r\n')) {
      const colon = line.indexOf(':')
      const name = line.slice(0, colon)
      if (colon === -1 || !passes(name, line.slice(colon + 2))) continue
      claims += `${line}\r\n`
      passed.add(name)
    }
    this.claims = claims
    this.raw += claims
    const dropped = this.dropped?.filter(({ reason, name }) => reason !== 'identity' || !passed.has(name)) ?? []
    this.dropped = dropped.length === 0 ? null : dropped
  }

  private sort(text: string, base: number, marked: number): void {
    this.reset()
    let raw = ''
    let runStart = 0
    for (let mark = 0; mark < marked; mark += MARK_SIZE) {
      const lineStart = this.marks[mark]! - base
      const value = text.slice(this.marks[mark + 2]! - base, this.marks[mark + 3]! - base)
      const known = this.kinds[mark / MARK_SIZE]!
      if (runStart < lineStart) raw += text.slice(runStart, lineStart)
      runStart = this.marks[mark + 4]! - base
      if (known === Known.none || known === Known.date) raw += this.lineAt(mark, text, base, value)
      else if (known === Known.claim || known === Known.identity) this.claims += this.lineAt(mark, text, base, value)
      if (known >= Known.identity) this.drop(known, text.slice(lineStart, this.marks[mark + 1]! - base))
      else this.keep(known, value)
    }
    this.raw = runStart === 0 ? text : raw + text.slice(runStart)
  }

  private lineAt(mark: number, text: string, base: number, value: string): string {
    return `${text.slice(this.marks[mark]! - base, this.marks[mark + 1]! - base)}: ${value}\r\n`
  }

  private keep(known: Known, value: string): void {
    switch (known) {
      case Known.host:
        this.host = value
        this.hostLines++
        return
      case Known.connection:
        this.connection = list(this.connection, value)
        return
      case Known.contentLength:
        this.contentLength = list(this.contentLength, value)
        return
      case Known.transferEncoding:
        this.transferEncoding = list(this.transferEncoding, value)
        return
      case Known.te:
        this.te = list(this.te, value)
        return
      case Known.upgrade:
        this.upgrade = list(this.upgrade, value)
        return
      case Known.expect:
        this.expect = list(this.expect, value)
        return
      case Known.keepAlive:
        this.keepAlive = value
        return
      case Known.forwardedFor:
        this.forwardedFor = list(this.forwardedFor, value)
        return
      case Known.forwardedProto:
        this.forwardedProto = list(this.forwardedProto, value)
        return
      case Known.forwardedHost:
        this.forwardedHost = list(this.forwardedHost, value)
        return
      case Known.forwarded:
        this.forwarded = list(this.forwarded, value)
        return
      case Known.traceparent:
        this.traceparent = list(this.traceparent, value)
        return
      case Known.tracestate:
        this.tracestate = list(this.tracestate, value)
        return
      case Known.date:
        this.hasDate = true
        return
      case Known.none:
      case Known.dropped:
      case Known.claim:
      case Known.identity:
      case Known.folded:
      case Known.odd:
    }
  }

  private drop(known: Known, name: string): void {
    const reason = known === Known.folded ? 'folded' : known === Known.odd ? 'odd' : 'identity'
    this.dropped ??= []
    this.dropped.push({ reason, name })
  }

  private reset(): void {
    this.host = this.connection = this.contentLength = this.transferEncoding = this.te = null
    this.upgrade = this.expect = this.keepAlive = null
    this.forwardedFor = this.forwardedProto = this.forwardedHost = this.forwarded = null
    this.traceparent = this.tracestate = null
    this.claims = ''
    this.dropped = null
    this.hostLines = 0
    this.hasDate = false
  }
}

const MARK_SIZE = 5

/** Several lines of one field are one list (RFC 9110 section 5.3). */
function list(before: string | null, value: string): string {
  return before === null ? value : `${before}, ${value}`
}

function nameProblem(octet: number, atLineStart: boolean): string {
  if (octet === COLON) return 'A header field has no name.'
  if (octet === SP || octet === HTAB) {
    return atLineStart
      ? 'A header field is folded over lines.'
      : 'There is whitespace before the colon of a header field.'
  }
  return 'A header field name has a character that is not allowed in it.'
}

function valueProblem(octet: number): string {
  if (octet === CR) return 'A CR in the head is not followed by LF.'
  if (octet === LF) return 'A line of the head ends with LF alone.'
  return 'A header field value has a control character.'
}
