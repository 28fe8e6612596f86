import { GatewayError } from '../core/errors.ts'
import { type Headers, headersFromWire } from '../http/headers.ts'
import * as characters from '../http/characters.ts'
import { readOptions } from './connection-options.ts'
import { responseFieldNames } from '../http/field-names.ts'
import { MalformedMessage } from '../http/malformed-message.ts'
import { FieldSection, INCOMPLETE } from './fields.ts'
import { parseContentLength } from '../http/content.ts'
import { parseTransferEncoding } from './framing.ts'
import type { FieldLimits } from '../http/limits.ts'
import { skipValue } from '../http/skip-value.ts'
import type { ReceivedFields } from '../http/received-fields.ts'

// Constants of this module are inlined into its compiled code, whereas imports are looked up at each use.
const { CR, LF, SP } = characters

/** Special values of a content length, for other framing (RFC 9112 section 6.3). */
export const CHUNKED = -1
export const UNTIL_CLOSE = -2

/**
 * Parses response heads strictly (RFC 9112 sections 4 to 6); its properties hold the last head until the next `parse`.
 */
export class ResponseHead {
  status = 0
  minor = 1
  /** Bytes of content, or CHUNKED, or UNTIL_CLOSE; as stated by the head, regardless of the request method. */
  contentLength = 0
  /** Content-Length as sent, even where no content follows (HEAD, 304); null if absent. */
  announcedLength: string | null = null
  /** The service will close the connection after this response. */
  close = false
  /**
   * Milliseconds for which the service keeps the connection open, less a margin for latency; Infinity if it does not
   * say.
   */
  keepAliveTimeout = Number.POSITIVE_INFINITY
  /** Names listed in Connection that are not handled already; those fields are removed. */
  nominated: string[] | null = null
  readonly fields: ReceivedFields

  private readonly section: FieldSection
  private readonly limits: FieldLimits

  constructor(limits: FieldLimits) {
    this.limits = limits
    this.section = new FieldSection(responseFieldNames, limits.headers)
    this.fields = this.section.fields
  }

  /** Returns the offset after the head, or INCOMPLETE. Throws a GatewayError that describes the problem. */
  parse(bytes: Buffer, start: number, end: number): number {
    const lineEnd = this.parseLine(bytes, start, end)
    const headEnd = lineEnd === INCOMPLETE ? INCOMPLETE : this.section.parse(bytes, lineEnd, end)
    if ((headEnd === INCOMPLETE ? end : headEnd) - start > this.limits.head)
      throw new GatewayError('headers-too-large', `It is larger than ${this.limits.head} bytes.`)
    if (headEnd === INCOMPLETE) return INCOMPLETE
    this.nominated = null
    this.close = this.minor === 0
    if (this.fields.connection !== null) this.readConnection(this.fields.connection)
    this.keepAliveTimeout =
      this.fields.keepAlive === null ? Number.POSITIVE_INFINITY : keepAliveTimeout(this.fields.keepAlive)
    this.readFraming()
    return headEnd
  }

  /**
   * The end-to-end fields: with Date if the service sent none (RFC 9110 section 6.6.1), and, if `empty`, with the
   * length of the content that does not follow (section 8.6).
   */
  endToEnd(empty: boolean, dateField: string): Headers {
    const { fields, nominated, announcedLength } = this
    let { raw } = fields
    if (!fields.hasDate) raw += dateField
    // Not for 204, which never has content (RFC 9110 section 8.6).
    const announces = empty && announcedLength !== null && this.status !== 204
    if (announces) raw += `Content-Length: ${announcedLength}\r\n`
    const headers = headersFromWire(raw, true, announces)
    if (nominated !== null) for (const name of nominated) headers.delete(name)
    return headers
  }

  /**
   * HTTP-version SP status-code SP [reason] CRLF (RFC 9112 section 4); the last SP may be missing, as it often is in
   * practice.
   */
  private parseLine(bytes: Buffer, start: number, end: number): number {
    const present = Math.min(end - start, PREFIX.length)
    for (let i = 0; i < present; i++)
      if (bytes[start + i] !== PREFIX.charCodeAt(i)) throw new MalformedMessage(otherProtocol(bytes, start, end))
    if (end - start < STATUS_LINE_LENGTH) return INCOMPLETE
    const minor = digit(bytes[start + 7])
    if ((minor !== 0 && minor !== 1) || bytes[start + 8] !== SP)
      throw new MalformedMessage('The response does not begin with HTTP/1.0 or HTTP/1.1.')
    const status = digit(bytes[start + 9]) * 100 + digit(bytes[start + 10]) * 10 + digit(bytes[start + 11])
    if (!(status >= 100 && status <= 599))
      throw new MalformedMessage('The status code is not a number from 100 to 599.')
    let at = start + 12
    if (bytes[at] === SP) at++
    else if (bytes[at] !== CR) throw new MalformedMessage('The status code is not followed by a space.')
    at = skipValue(bytes, at, end)
    if (at + 1 >= end) return INCOMPLETE
    if (bytes[at] !== CR || bytes[at + 1] !== LF) throw new MalformedMessage('The status line does not end with CR LF.')
    this.minor = minor
    this.status = status
    return at + 2
  }

  private readConnection(connection: string): void {
    const options = readOptions(connection)
    this.close = options.close || (this.minor === 0 && !options.keepAlive)
    this.nominated = options.nominated
  }

  private readFraming(): void {
    const { contentLength, transferEncoding } = this.fields
    this.announcedLength = null
    if (transferEncoding !== null) {
      if (contentLength !== null)
        throw new MalformedMessage('The response has both Content-Length and Transfer-Encoding.')
      if (this.minor === 0) throw new MalformedMessage('An HTTP/1.0 response has Transfer-Encoding.')
      parseTransferEncoding(transferEncoding)
      this.contentLength = CHUNKED
      return
    }
    if (contentLength === null) {
      this.contentLength = UNTIL_CLOSE
      return
    }
    this.contentLength = parseContentLength(contentLength)
    this.announcedLength = contentLength
  }
}

const PREFIX = 'HTTP/1.'
/** The shortest status line, "HTTP/1.1 200" CR. */
const STATUS_LINE_LENGTH = 13
const DIGIT_0 = 48

/** A type of TLS records (RFC 8446 section 5.1), and one of HTTP/2 frames (RFC 9113 section 6). */
const [TLS_ALERT, SETTINGS] = [21, 4]

/** What a server says that does not speak HTTP/1.x, with what to do if it is known. */
function otherProtocol(bytes: Buffer, start: number, end: number): string {
  const isFrame = end - start >= 9 && bytes[start] === 0
  if (isFrame && bytes[start + 3] === SETTINGS && bytes.readUInt32BE(start + 5) === 0)
    return 'The server speaks HTTP/2: set http2 of the service.'
  if (end - start >= 2 && bytes[start] === TLS_ALERT && bytes[start + 1] === 3)
    return 'The server speaks TLS: the URL of the instance has to begin with https://.'
  return 'The response does not begin with HTTP/1.'
}

function digit(byte: number | undefined): number {
  return byte !== undefined && byte >= DIGIT_0 && byte <= 57 ? byte - DIGIT_0 : Number.NaN
}

/** With "timeout=5", a request after about 5 s may meet a closed connection, so reuse stops one second earlier. */
function keepAliveTimeout(value: string): number {
  const seconds = /(?:^|[\s,])timeout=([0-9]{1,6})/i.exec(value)
  return seconds === null ? Number.POSITIVE_INFINITY : Math.max(0, Number(seconds[1]) * 1000 - 1000)
}
