import { GatewayError } from '../core/errors.ts'
import { parseContentLength } from '../http/content.ts'
import { Known, responseFieldNames } from '../http/field-names.ts'
import { type Headers, headersFromWire } from '../http/headers.ts'
import type { FieldLimits } from '../http/limits.ts'
import { MalformedMessage } from '../http/malformed-message.ts'
import type { FieldSink } from './hpack/decoder.ts'
import { type Field, Kind } from './hpack/field.ts'
import type { Naming } from './hpack/field-table.ts'

/** How the names of response fields are classified. */
export const RESPONSE_NAMING: Naming = { names: responseFieldNames, strict: false }

const STATUS = /^[1-5][0-9][0-9]$/

/**
 * Builds the head of a response from its fields (RFC 9113 section 8.3.2). One instance serves one stream after another:
 * its properties hold the last head until the next `begin`.
 */
export class ResponseHead implements FieldSink {
  status = 0
  /**
   * Announced length of the content in bytes, -1 where it is not announced; as stated by the head, regardless of the
   * method.
   */
  contentLength = -1

  private readonly limits: FieldLimits
  private raw = ''
  private code = ''
  private announced: string | null = null
  private dated = false
  private bytes = 0
  private lines = 0
  /** A regular field has been received: no pseudo-header field may follow. */
  private regular = false
  /** Why the message is malformed in the sense of HTTP/2; null if it is not. */
  private malformed: string | null = null

  constructor(limits: FieldLimits) {
    this.limits = limits
  }

  /** Another head begins. */
  begin(): void {
    this.raw = this.code = ''
    this.announced = this.malformed = null
    this.dated = this.regular = false
    this.bytes = this.lines = 0
    this.contentLength = -1
  }

  /** Takes the next field; nothing is kept of those beyond the limits. */
  field({ kind, value, line, name }: Field): void {
    this.bytes += line.length
    if (kind === Kind.status) return this.pseudo(value)
    this.lines++
    if (this.lines > this.limits.headers || this.bytes > this.limits.head) return
    this.regular = true
    if (kind === Known.none || kind === Kind.cookie) this.raw += line
    else if (kind === Known.date) {
      this.dated = true
      this.raw += line
    } else if (kind === Known.contentLength)
      this.announced = this.announced === null ? value : `${this.announced}, ${value}`
    else if (kind === Kind.connectionSpecific)
      this.malformed ??= `The header field ${name.text} is specific to a connection and not allowed in HTTP/2.`
    else if (kind >= Kind.method) this.malformed ??= 'A header field has an invalid name or value.'
  }

  private pseudo(value: string): void {
    if (this.regular) this.malformed ??= 'A pseudo-header field follows other header fields.'
    if (this.code !== '') this.malformed ??= 'A pseudo-header field is repeated.'
    this.code = value
  }

  /**
   * All fields have been received: checks them together. Throws MalformedMessage for a message that is malformed in the
   * sense of HTTP/2, which is a stream error; GatewayError 'headers-too-large'.
   */
  finish(): void {
    const { limits, code, announced } = this
    if (this.lines > limits.headers)
      throw new GatewayError('headers-too-large', `There are more than ${limits.headers} header fields.`)
    if (this.bytes > limits.head) throw new GatewayError('headers-too-large', `It is larger than ${limits.head} bytes.`)
    if (this.malformed !== null) throw new MalformedMessage(this.malformed)
    if (!STATUS.test(code)) throw new MalformedMessage('The status code is not a number from 100 to 599.')
    this.status = Number(code)
    if (announced !== null) this.contentLength = parseContentLength(announced)
  }

  /**
   * The end-to-end fields: with Date if the service sent none (RFC 9110 section 6.6.1), and, if `empty`, with the
   * length of the content that does not follow (section 8.6).
   */
  headers(empty: boolean, dateField: string): Headers {
    const { announced, status } = this
    const raw = this.dated ? this.raw : this.raw + dateField
    // Not for 204, which never has content (RFC 9110 section 8.6).
    const announces = empty && announced !== null && status !== 204
    return headersFromWire(announces ? `${raw}content-length: ${announced}\r\n` : raw, true, announces)
  }
}
