import { randomBytes } from 'node:crypto'
import { GatewayError } from '../core/errors.ts'
import { isAuthority } from '../http/authority.ts'
import { allowedInTarget } from '../http/characters.ts'
import { parseContentLength } from '../http/content.ts'
import { knownLine } from '../http/field-lines.ts'
import { Known } from '../http/field-names.ts'
import type { HeadLimits } from '../http/limits.ts'
import { MalformedMessage } from '../http/malformed-message.ts'
import { ReceivedFields } from '../http/received-fields.ts'
import type { ReceivedHead } from '../http/received-head.ts'
import { type Field, Kind } from './hpack/field.ts'
import type { FieldSink } from './hpack/decoder.ts'
import { HTTP1_ONLY } from './http1-only.ts'

const SLASH = 47
/** These methods are not supported here, nor over HTTP/1.1: see http1/request-head.ts. */
const REFUSED_METHODS = new Set(['CONNECT', 'TRACE'])
const METHOD = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}$/

/**
 * Builds the head of a request from its fields (RFC 9113 section 8.3). One instance serves one stream after another:
 * its properties hold the last head until the next `begin`.
 */
export class RequestHead implements ReceivedHead, FieldSink {
  readonly protocol = '2'
  method = ''
  target = ''
  authority = ''
  /** Announced length of the content in bytes, -1 where it is not announced. */
  contentLength = -1
  upgrade: string | null = null
  expectsContinue = false
  refusal: GatewayError | null = null
  readonly fields = new ReceivedFields()
  /** Why the message is malformed in the sense of HTTP/2; null if it is not. */
  malformed: string | null = null

  private readonly limits: HeadLimits
  private scheme = ''
  private named = ''
  private extended = ''
  private cookie = ''
  private raw = ''
  private bytes = 0
  private lines = 0
  /** A regular field has been received: no pseudo-header field may follow. */
  private regular = false
  /** The last authority that was found valid: most requests have the same one. */
  private lastNamed = ''
  private lastAuthority = ''

  constructor(limits: HeadLimits) {
    this.limits = limits
  }

  /** Another head begins. */
  begin(): void {
    this.fields.reset()
    this.method = this.target = this.scheme = this.authority = this.named = ''
    this.extended = this.cookie = this.raw = ''
    this.malformed = this.upgrade = null
    this.refusal = null
    this.bytes = this.lines = 0
    this.regular = this.expectsContinue = false
    this.contentLength = -1
  }

  /** Takes the next field; nothing is kept of those beyond the limits. */
  field(field: Field): void {
    const { kind, value, line } = field
    this.bytes += line.length
    // Clients may split Cookie into any number of fields.
    const isPseudo = kind >= Kind.method && kind <= Kind.status
    if (!isPseudo && kind !== Kind.cookie) this.lines++
    if (this.lines > this.limits.headers || this.bytes > this.limits.head) return
    if (isPseudo) return this.pseudo(kind, value)
    this.regular = true
    if (kind === Known.none) {
      if (field.name.odd) this.fields.oddNames = true
      this.raw += line
    } else if (kind === Kind.cookie) this.cookie = this.cookie === '' ? value : `${this.cookie}; ${value}`
    else if (kind === Kind.malformed) this.malformed ??= 'A header field has an invalid name or value.'
    else if (kind === Kind.connectionSpecific)
      this.malformed ??= `The header field ${field.name.text} is specific to a connection and not allowed in HTTP/2.`
    else this.known(field)
  }

  private known({ kind, value, line, name }: Field): void {
    const { fields } = this
    if (kind === Known.date) this.raw += line
    else if (kind === Known.claim || kind === Known.identity) fields.claims += line
    if (kind === Known.te && value.toLowerCase() !== 'trailers')
      this.malformed ??= 'TE has a value other than trailers.'
    if (kind === Known.identity || kind === Known.folded || kind === Known.odd) fields.drop(kind, name.text)
    else if (isKnown(kind)) fields.keep(kind, value)
  }

  private pseudo(kind: Kind, value: string): void {
    if (this.regular) this.malformed ??= 'A pseudo-header field follows other header fields.'
    if (kind === Kind.method) this.method = this.once(this.method, value)
    else if (kind === Kind.scheme) this.scheme = this.once(this.scheme, value)
    else if (kind === Kind.path) this.target = this.once(this.target, value)
    else if (kind === Kind.authority) this.named = this.once(this.named, value)
    else if (kind === Kind.protocol) this.extended = this.once(this.extended, value)
    else this.malformed ??= 'A request has a pseudo-header field that is not defined for requests.'
  }

  private once(before: string, value: string): string {
    if (before !== '') this.malformed ??= 'A pseudo-header field is repeated.'
    else if (value === '') this.malformed ??= 'A pseudo-header field is empty.'
    return value
  }

  /**
   * All fields have been received: checks them together. Throws MalformedMessage for a message that is malformed in the
   * sense of HTTP/2, which is a stream error; GatewayError for a request that is refused.
   */
  finish(): void {
    const { fields, limits } = this
    if (this.lines > limits.headers)
      throw new GatewayError('headers-too-large', `There are more than ${limits.headers} header fields.`)
    if (this.bytes > limits.head)
      throw new GatewayError('headers-too-large', `The request head is larger than ${limits.head} bytes.`)
    if (this.malformed !== null) throw new MalformedMessage(this.malformed)
    fields.raw = this.cookie === '' ? this.raw : `${this.raw}cookie: ${this.cookie}\r\n`
    this.readRequest()
    this.readAuthority()
    if (fields.contentLength !== null) this.contentLength = parseContentLength(fields.contentLength)
    this.readExpect()
  }

  private readRequest(): void {
    const { method, scheme, target, limits } = this
    const extended = method === 'CONNECT' && this.extended !== ''
    if (method === '' || ((method !== 'CONNECT' || extended) && (scheme === '' || target === '')))
      throw new MalformedMessage('The request is without :method, :scheme or :path.')
    if (!METHOD.test(method)) throw new MalformedMessage('The method has a character that is not allowed in it.')
    if (this.extended !== '' && !extended)
      throw new MalformedMessage('The request has :protocol, and its method is not CONNECT.')
    if (extended) this.readUpgrade()
    else if (REFUSED_METHODS.has(method))
      throw new GatewayError('not-implemented', `${method} is not supported: this is a gateway, not a forward proxy.`)
    if (scheme !== 'http' && scheme !== 'https') throw new MalformedMessage('The scheme is neither http nor https.')
    // Without TLS, a proxy in front may have terminated it.
    if (scheme === 'http' && limits.secure === true)
      throw new GatewayError('misdirected-request', 'An http URI cannot be requested on a connection with TLS.')
    if (target.length > limits.target)
      throw new GatewayError('uri-too-long', `The request target is longer than ${limits.target} bytes.`)
    if (target === '*' && method === 'OPTIONS') return
    if (target.charCodeAt(0) !== SLASH) throw new MalformedMessage('The path does not begin with "/".')
    for (let i = 1; i < target.length; i++)
      if (allowedInTarget[target.charCodeAt(i)] !== 1)
        throw new MalformedMessage('The path has a character that is not allowed in it.')
  }

  /**
   * RFC 8441 section 5: the counterpart of an upgrade with GET in HTTP/1.1. Services get it in that form, with a key
   * generated by the gateway. HAProxy also passes on the one of its client.
   */
  private readUpgrade(): void {
    if (this.extended !== 'websocket')
      throw new GatewayError('not-implemented', `The protocol ${this.extended} is not supported: expected websocket.`)
    this.method = 'GET'
    this.upgrade = this.extended
    const key = knownLine('Sec-WebSocket-Key', randomBytes(16).toString('base64'))
    this.fields.raw = HTTP1_ONLY.without(this.fields.raw) + key
  }

  /** RFC 9113 section 8.3.1: a Host that contradicts the authority is refused, not ignored. */
  private readAuthority(): void {
    const { host, hostLines } = this.fields
    if (hostLines > 1) throw new MalformedMessage('The request has more than one Host header field.')
    const named = this.named === '' ? host : this.named
    if (named === null) throw new MalformedMessage('The request has neither :authority nor a Host header field.')
    if (named !== this.lastNamed) {
      if (!isAuthority(named)) throw new MalformedMessage('The authority is not a host with an optional port.')
      this.lastNamed = named
      // One spelling for all later steps, and for the service (RFC 9110 section 4.2.3).
      this.lastAuthority = named.toLowerCase()
    }
    this.authority = this.lastAuthority
    if (host !== null && host.toLowerCase() !== this.authority)
      throw new MalformedMessage('The Host header field contradicts the authority.')
  }

  private readExpect(): void {
    const { expect } = this.fields
    if (expect === null) return
    this.expectsContinue = expect.toLowerCase() === '100-continue'
    if (this.expectsContinue) return
    this.refusal = new GatewayError('expectation-failed', 'The only supported expectation is 100-continue.')
  }
}

function isKnown(kind: Kind): kind is Known {
  return kind < Kind.method
}
