import { GatewayError } from '../core/errors.ts'
import { parseContentLength } from '../http/content.ts'
import { Known, responseFieldNames } from '../http/field-names.ts'
import { type Headers, headersFromWire } from '../http/headers.ts'
import type { FieldLimits } from '../http/limits.ts'
import { MalformedMessage } from '../http/malformed-message.ts'
import type { FieldSink } from './hpack/decoder.ts'
import { type Field, Kind } from './hpack/field.ts'
import type { Naming } from './hpack/field-table.ts'

/** How the names of what services send are judged. */
export const RESPONSE_NAMING: Naming = { names: responseFieldNames, strict: false }

const STATUS = /^[1-5][0-9][0-9]$/

/**
 * The head of a response as its fields say (RFC 9113 section 8.3.2). One instance serves one stream after another: what it
 * holds is that of the last one until the next `begin`.
 */
export class ResponseHead implements FieldSink {
  status = 0
  /** Octets of content that are announced, -1 where that is left open; as the head says it, whatever the method was. */
  contentLength = -1

  private readonly limits: FieldLimits
  private raw = ''
  private code = ''
  private announced: string | null = null
  private dated = false
  private octets = 0
  private lines = 0
  /** A field that is none of the pseudo-header fields has come: no more of those may follow. */
  private regular = false
  /** What is wrong with it as a message of HTTP/2; null for nothing. */
  private malformed: string | null = null

  constructor(limits: FieldLimits) {
    this.limits = limits
  }

  /** Another head begins. */
  begin(): void {
    this.raw = this.code = ''
    this.announced = this.malformed = null
    this.dated = this.regular = false
    this.octets = this.lines = 0
    this.contentLength = -1
  }

  /** Takes the next field: of those beyond the limits nothing is kept. */
  field({ kind, value, line, name }: Field): void {
    this.octets += line.length
    if (kind === Kind.status) return this.pseudo(value)
    this.lines++
    if (this.lines > this.limits.headers || this.octets > this.limits.head) return
    this.regular = true
    if (kind === Known.none || kind === Kind.cookie) this.raw += line
    else if (kind === Known.date) {
      this.dated = true
      this.raw += line
    } else if (kind === Known.contentLength)
      this.announced = this.announced === null ? value : `${this.announced}, ${value}`
    else if (kind === Kind.connectionSpecific)
      this.malformed ??= `The header field ${name.text} is of a connection, and has no place in HTTP/2.`
    else if (kind >= Kind.method) this.malformed ??= 'A header field has an invalid name or value.'
  }

  private pseudo(value: string): void {
    if (this.regular) this.malformed ??= 'A pseudo-header field follows other header fields.'
    if (this.code !== '') this.malformed ??= 'A pseudo-header field comes twice.'
    this.code = value
  }

  /**
   * All fields have come: what they mean together. Throws MalformedMessage where they are no response of HTTP/2, which is
   * an error of the stream; GatewayError 'headers-too-large'.
   */
  finish(): void {
    const { limits, code, announced } = this
    if (this.lines > limits.headers)
      throw new GatewayError('headers-too-large', `There are more than ${limits.headers} header fields.`)
    if (this.octets > limits.head) throw new GatewayError('headers-too-large', `It is over ${limits.head} bytes.`)
    if (this.malformed !== null) throw new MalformedMessage(this.malformed)
    if (!STATUS.test(code)) throw new MalformedMessage('The status code is not a number from 100 to 599.')
    this.status = Number(code)
    if (announced !== null) this.contentLength = parseContentLength(announced)
  }

  /**
   * The end-to-end fields: with Date if the service gave none (RFC 9110 section 6.6.1), and with the length of content
   * that does not follow if `empty` (section 8.6).
   */
  headers(empty: boolean, dateField: string): Headers {
    const { announced, status } = this
    const raw = this.dated ? this.raw : this.raw + dateField
    // Not for 204, which says that there is nothing to have a length (RFC 9110 section 8.6).
    const announces = empty && announced !== null && status !== 204
    return headersFromWire(announces ? `${raw}content-length: ${announced}\r\n` : raw, true, announces)
  }
}
