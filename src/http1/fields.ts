import { GatewayError } from '../core/errors.ts'
import * as characters from '../http/characters.ts'
import { Known, nextHash, type FieldNames } from '../http/field-names.ts'
import { MalformedMessage } from '../http/malformed-message.ts'
import { skipValue } from '../http/skip-value.ts'
import { ReceivedFields } from '../http/received-fields.ts'

// Bytes are read by index below an end that has been checked: each "!" asserts that, and costs nothing. Constants of
// this module are inlined into its compiled code, whereas imports are looked up at each use.
const { CR, COLON, foldedToken, HTAB, HYPHEN, LF, ODD, SP } = characters

/** Returned by the parsers while a part of the message is incomplete. */
export const INCOMPLETE = -1

/**
 * Parses a field section (RFC 9112 section 5) and sorts its fields into `fields`. One instance is reused for message
 * after message.
 *
 * Refused, with the reason in the error: bare CR or LF, NUL and other controls, obs-fold (section 5.2), whitespace
 * before the colon (section 5.1), empty names, and more lines than the limit.
 */
export class FieldSection {
  /** The fields of the section that was parsed last. */
  readonly fields = new ReceivedFields()
  private readonly names: FieldNames
  private readonly maximum: number
  private readonly strict: boolean
  /** For each line that needs special treatment: line start, colon, value start, value end, next line. */
  private readonly marks: Int32Array
  /** Which field each of these lines is. */
  private readonly kinds: Known[] = []

  /** `strict` removes every field whose name has characters other than letters, digits and hyphens. */
  constructor(names: FieldNames, maximum: number, strict = false) {
    this.names = names
    this.maximum = maximum
    this.strict = strict
    this.marks = new Int32Array(maximum * MARK_SIZE)
  }

  /**
   * Parses the section that begins at `start`, including the empty line. Returns the offset after it, or INCOMPLETE.
   * Throws MalformedMessage, or GatewayError 'headers-too-large'.
   */
  parse(bytes: Buffer, start: number, end: number): number {
    let marked = 0
    let lines = 0
    let dated = false
    let oddNames = false
    const { names, maximum } = this
    const seed = names.seed | 0
    let at = start | 0
    for (;;) {
      // 1. The empty line ends the section.
      if (at >= end) return INCOMPLETE
      if (bytes[at] === CR) {
        if (at + 1 >= end) return INCOMPLETE
        if (bytes[at + 1] !== LF) throw new MalformedMessage('A CR in the head is not followed by LF.')
        break
      }
      if (++lines > maximum)
        throw new GatewayError('headers-too-large', `There are more than ${maximum} header fields.`)

      // 2. The name, hashed while it is validated.
      const lineStart = at
      let hash = seed
      let odd = false
      for (;;) {
        let folded = 0
        while (at < end && (folded = foldedToken[bytes[at]!]!) > ODD) {
          hash = nextHash(hash, folded)
          at++
        }
        if (at >= end || folded !== ODD) break
        hash = nextHash(hash, HYPHEN)
        odd = true
        at++
      }
      if (at >= end) return INCOMPLETE
      if (bytes[at] !== COLON || at === lineStart)
        throw new MalformedMessage(nameProblem(bytes.readUInt8(at), at === lineStart))
      const colon = at++

      // 3. The value, without surrounding whitespace.
      while (at < end && (bytes[at] === SP || bytes[at] === HTAB)) at++
      const valueStart = at
      at = skipValue(bytes, at, end)
      if (at + 1 >= end) {
        if (at < end && bytes[at] !== CR) throw new MalformedMessage(valueProblem(bytes.readUInt8(at)))
        return INCOMPLETE
      }
      if (bytes[at] !== CR || bytes[at + 1] !== LF) throw new MalformedMessage(valueProblem(bytes.readUInt8(at)))
      let valueEnd = at
      while (valueEnd > valueStart && (bytes[valueEnd - 1] === SP || bytes[valueEnd - 1] === HTAB)) valueEnd--
      at += 2

      // 4. Lines of known fields, or not in the canonical form that is passed on, are marked for `sort`.
      let known = names.lookup(hash, bytes, lineStart, colon, odd)
      if (odd && known === Known.none) {
        if (this.strict) known = Known.odd
        else oddNames = true
      }
      const canonical = valueStart === colon + 2 && bytes[colon + 1] === SP && valueEnd === at - 2
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
    this.sort(bytes.toString('latin1', start, at), start, marked)
    if (dated) this.fields.hasDate = true
    this.fields.oddNames = oddNames
    return at + 2
  }

  private sort(text: string, base: number, marked: number): void {
    const { fields } = this
    fields.reset()
    let raw = ''
    let runStart = 0
    for (let mark = 0; mark < marked; mark += MARK_SIZE) {
      const lineStart = this.marks[mark]! - base
      const value = text.slice(this.marks[mark + 2]! - base, this.marks[mark + 3]! - base)
      const known = this.kinds[mark / MARK_SIZE]!
      if (runStart < lineStart) raw += text.slice(runStart, lineStart)
      runStart = this.marks[mark + 4]! - base
      if (known === Known.none || known === Known.date) raw += this.lineAt(mark, text, base, value)
      else if (known === Known.claim || known === Known.identity) fields.claims += this.lineAt(mark, text, base, value)
      if (known >= Known.identity) fields.drop(known, text.slice(lineStart, this.marks[mark + 1]! - base))
      else fields.keep(known, value)
    }
    fields.raw = runStart === 0 ? text : raw + text.slice(runStart)
  }

  private lineAt(mark: number, text: string, base: number, value: string): string {
    return `${text.slice(this.marks[mark]! - base, this.marks[mark + 1]! - base)}: ${value}\r\n`
  }
}

const MARK_SIZE = 5

function nameProblem(byte: number, atLineStart: boolean): string {
  if (byte === COLON) return 'A header field has no name.'
  if (byte === SP || byte === HTAB) {
    return atLineStart
      ? 'A header field is folded over lines.'
      : 'There is whitespace before the colon of a header field.'
  }
  return 'A header field name has a character that is not allowed in it.'
}

function valueProblem(byte: number): string {
  if (byte === CR) return 'A CR in the head is not followed by LF.'
  if (byte === LF) return 'A line of the head ends with LF alone.'
  return 'A header field value has a control character.'
}
