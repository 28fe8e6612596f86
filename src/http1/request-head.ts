import { GatewayError } from '../core/errors.ts'
import * as characters from '../http/characters.ts'
import { namesWithClaim } from '../http/field-names.ts'
import { readOptions } from './connection-options.ts'
import { MalformedMessage } from '../http/malformed-message.ts'
import { FieldSection, INCOMPLETE } from './fields.ts'
import { isAuthority } from '../http/authority.ts'
import { parseContentLength } from '../http/content.ts'
import { parseTransferEncoding } from './framing.ts'
import type { HeadLimits } from '../http/limits.ts'
import type { ReceivedFields } from '../http/received-fields.ts'
import type { HttpVersion, ReceivedHead } from '../http/received-head.ts'
import { parseTarget } from './target.ts'

// Bytes are read by index below an end that has been checked: each "!" asserts that, and costs nothing. Constants of
// this module are inlined into its compiled code, whereas imports are looked up at each use.
const { foldedToken, CR, LF, SP, allowedInTarget } = characters

/**
 * Parses request heads strictly (RFC 9112 sections 2, 3, 5, 6 and 7). One instance is shared by many connections: its
 * properties hold the last head until the next `parse`.
 */
export class RequestHead implements ReceivedHead {
  method = ''
  /** Origin-form path with query, or "*" for OPTIONS. */
  target = ''
  /** From Host, or from an absolute-form target, in lower case; "" only for HTTP/1.0. */
  authority = ''
  protocol: HttpVersion = '1.1'
  /** Bytes of content, -1 where it is chunked. */
  contentLength = 0
  /** The client asked for, or implied, that the connection be closed after the reply. */
  close = false
  /** Names listed in Connection that are not handled already: end-to-end fields that must be removed. */
  nominated: string[] | null = null
  /** The client waits for 100 (Continue) before it sends the content (RFC 9110 section 10.1.1). */
  expectsContinue = false
  /** Why the request is refused although it was understood; null if it is not. */
  refusal: GatewayError | null = null
  /** The protocol that the client asks to upgrade to (RFC 9110 section 7.8); null if it does not. */
  upgrade: string | null = null
  fields: ReceivedFields

  /** The last Host that was found valid: most requests have the same one. */
  private lastHost: string | null = null
  private lastAuthority = ''
  private section: FieldSection
  private readonly limits: HeadLimits

  constructor(limits: HeadLimits) {
    this.limits = limits
    this.section = sectionFor(limits)
    this.fields = this.section.fields
  }

  /** The limits have changed. */
  reconfigure(): void {
    this.section = sectionFor(this.limits)
    this.fields = this.section.fields
  }

  /**
   * Parses a head that begins at `start`; returns the offset after it, or INCOMPLETE. Throws GatewayError:
   * 'bad-request', 'uri-too-long', 'headers-too-large', 'not-implemented', 'version-not-supported'.
   */
  parse(bytes: Buffer, start: number, end: number): number {
    // 1. An empty line before the request line is ignored (RFC 9112 section 2.2).
    let at = start
    if (bytes[at] === CR) {
      if (at + 1 >= end) return INCOMPLETE
      if (bytes[at + 1] !== LF) throw new MalformedMessage('A CR before the request line is not followed by LF.')
      at += 2
    }

    // 2. The request line, then the fields.
    const lineEnd = this.parseLine(bytes, at, end)
    const headEnd = lineEnd === INCOMPLETE ? INCOMPLETE : this.section.parse(bytes, lineEnd, end)
    if ((headEnd === INCOMPLETE ? end : headEnd) - at > this.limits.head)
      throw new GatewayError('headers-too-large', `The request head is larger than ${this.limits.head} bytes.`)
    if (headEnd === INCOMPLETE) return INCOMPLETE

    // 3. Checks across fields.
    if (REFUSED_METHODS.has(this.method))
      throw new GatewayError(
        'not-implemented',
        `${this.method} is not supported: this is a gateway, not a forward proxy.`,
      )
    this.nominated = null
    this.close = this.protocol === '1.0'
    this.upgrade = null
    if (this.fields.connection !== null) this.readConnection(this.fields.connection)
    this.readFraming()
    this.readAuthority()
    this.readExpect()
    return headEnd
  }

  /** Method SP request-target SP HTTP-version CRLF (RFC 9112 section 3): single spaces, nothing else. */
  private parseLine(bytes: Buffer, start: number, end: number): number {
    let at = start
    while (at < end && foldedToken[bytes[at]!] !== 0) at++
    if (at - start > MAXIMUM_METHOD) throw new GatewayError('not-implemented', 'The method is too long.')
    if (at >= end) return INCOMPLETE
    if (bytes[at] !== SP || at === start)
      throw new MalformedMessage('The request line does not begin with a method and a space.')
    const targetStart = at + 1
    at = targetStart
    while (at < end && allowedInTarget[bytes[at]!] === 1) at++
    if (at - targetStart > this.limits.target)
      throw new GatewayError('uri-too-long', `The request target is longer than ${this.limits.target} bytes.`)
    if (at >= end) return INCOMPLETE
    if (bytes[at] !== SP || at === targetStart)
      throw new MalformedMessage('The request target has a character that is not allowed in it, or is missing.')
    const present = Math.min(end - at, SUFFIX.length)
    for (let i = 0; i < present; i++) if (bytes[at + i] !== SUFFIX.charCodeAt(i)) throw badVersion(bytes, at, end)
    if (end - at < VERSION_LENGTH) return INCOMPLETE
    const minor = bytes[at + 8]! - DIGIT_0
    if (minor !== 0 && minor !== 1) throw badVersion(bytes, at, end)
    if (bytes[at + 9] !== CR || bytes[at + 10] !== LF)
      throw new MalformedMessage('The request line does not end with CR LF after the version.')
    this.protocol = minor === 0 ? '1.0' : '1.1'
    this.method = methodName(bytes, start, targetStart - 1)
    this.target = bytes.toString('latin1', targetStart, at)
    return at + VERSION_LENGTH
  }

  /** RFC 9112 section 9.3: close wins; an HTTP/1.0 connection persists only where keep-alive requests it. */
  private readConnection(connection: string): void {
    const options = readOptions(connection)
    this.close = options.close || (this.protocol === '1.0' && !options.keepAlive)
    this.nominated = options.nominated
    if (options.upgrade && this.protocol === '1.1') this.upgrade = this.fields.upgrade
  }

  /** HTTP/1.0 has no expectations, HTTP/1.1 has one (RFC 9110 section 10.1.1). */
  private readExpect(): void {
    const { expect } = this.fields
    this.expectsContinue = false
    this.refusal = null
    if (expect === null || this.protocol === '1.0') return
    this.expectsContinue = expect.toLowerCase() === '100-continue'
    if (this.expectsContinue) return
    this.refusal = new GatewayError('expectation-failed', 'The only supported expectation is 100-continue.')
  }

  /** RFC 9112 section 6.3, without any of the repairs that it permits: anything ambiguous is refused. */
  private readFraming(): void {
    const { contentLength, transferEncoding } = this.fields
    this.contentLength = 0
    if (transferEncoding !== null) {
      if (contentLength !== null)
        throw new MalformedMessage('The request has both Content-Length and Transfer-Encoding.')
      if (this.protocol === '1.0') throw new MalformedMessage('An HTTP/1.0 request has Transfer-Encoding.')
      parseTransferEncoding(transferEncoding)
      this.contentLength = -1
      return
    }
    if (contentLength !== null) this.contentLength = parseContentLength(contentLength)
  }

  /** RFC 9112 sections 3.2 and 3.2.2; a Host that contradicts an absolute-form target is refused, not ignored. */
  private readAuthority(): void {
    const { host, hostLines } = this.fields
    if (hostLines > 1) throw new MalformedMessage('The request has more than one Host header field.')
    if (host === null && this.protocol === '1.1') throw new MalformedMessage('The request has no Host header field.')
    if (host !== null && host !== this.lastHost) {
      if (!isAuthority(host)) throw new MalformedMessage('The Host header field is not a host with an optional port.')
      this.lastHost = host
      // One spelling for all later steps, and for the service (RFC 9110 section 4.2.3).
      this.lastAuthority = host.toLowerCase()
    }
    this.authority = host === null ? '' : this.lastAuthority
    if (this.target.charCodeAt(0) === SLASH) return
    const { authority, target } = parseTarget(this.method, this.target, this.limits.secure === true)
    this.target = target
    if (authority === null) return
    if (host !== null && this.authority !== authority.toLowerCase())
      throw new MalformedMessage('The Host header field contradicts the request target.')
    this.authority = authority.toLowerCase()
  }
}

function sectionFor({ clientHeader = null, headers, strictNames }: HeadLimits): FieldSection {
  return new FieldSection(namesWithClaim(clientHeader).request, headers, strictNames)
}

/**
 * CONNECT is for forward proxies (RFC 9110 section 9.3.6); TRACE reveals fields that a client must not see (section
 * 9.3.8).
 */
const REFUSED_METHODS = new Set(['CONNECT', 'TRACE'])
const SUFFIX = ' HTTP/1.'
const VERSION_LENGTH = 11
const MAXIMUM_METHOD = 32
const DIGIT_0 = 48
const SLASH = 47

function badVersion(bytes: Buffer, at: number, end: number): GatewayError {
  if (/^ HTTP\/[02-9]/.test(bytes.toString('latin1', at, Math.min(end, at + 8))))
    return new GatewayError('version-not-supported', 'This listener supports HTTP/1.0 and HTTP/1.1.')
  return new MalformedMessage('The request line does not end with an HTTP version.')
}

/** Returns the most common method without allocating a string. */
function methodName(bytes: Buffer, start: number, end: number): string {
  if (end - start === 3 && bytes[start] === 0x47 && bytes[start + 1] === 0x45 && bytes[start + 2] === 0x54) return 'GET'
  return bytes.toString('latin1', start, end)
}
