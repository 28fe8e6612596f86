import { Bytes, collect } from '../../http/body.ts'
import { GatewayError } from '../../core/errors.ts'
import type { Exchange } from '../../http/exchange.ts'
import type { Headers } from '../../http/headers.ts'
import { limitBody } from '../../http/limited-body.ts'
import { type ContentType, parseContentType, UNKNOWN } from './content-type.ts'
import { MalformedJson, parseStrictly } from './json-document.ts'
import type { Check } from './schema.ts'
import { refusal } from './violations.ts'

/** Methods whose requests usually have content (RFC 9110 section 9.3, RFC 5789 section 2), so that it can be missing. */
const WITH_CONTENT = new Set(['POST', 'PUT', 'PATCH', 'QUERY'])

/** Headers that list the accepted types, by method (RFC 5789 section 3.1, W3C Linked Data Platform section 7.1). */
const ACCEPT_FIELDS = new Map([
  ['PATCH', 'Accept-Patch'],
  ['POST', 'Accept-Post'],
])

/** An accepted kind of content. */
export interface Content {
  /** Whether a content type (type and subtype) is of this kind. */
  readonly takes: (essence: string) => boolean
  /** Checks its JSON; null if any content is accepted. */
  readonly check: Check | null
}

/** The requirements for the body of a request. */
export interface BodyRule {
  /** Most bytes; infinity if only the listener sets a limit. */
  readonly limit: number
  /** Most bytes of a body that is read into memory to be checked. */
  readonly checkedLimit: number
  readonly required: boolean
  /** The accepted kinds, most specific first; null if everything is accepted. */
  readonly contents: readonly Content[] | null
  /** The same for an Accept header. */
  readonly accept: string
}

/** The kind of the content according to the request head; null if the body is not to be checked. Throws GatewayError. */
export function checkHead({ method, headers, body }: Exchange, rule: BodyRule): Content | null {
  if (body === null || body.length === 0) {
    if (!rule.required || !WITH_CONTENT.has(method)) return null
    throw refusal('bad-request', 'The request has no body.', [{ pointer: '', in: 'body', detail: 'is required' }])
  }
  if (rule.contents === null) return null
  const type = contentType(headers)
  const content = type === null ? undefined : rule.contents.find(({ takes }) => takes(type.essence))
  if (type === null || content === undefined) throw unsupported(method, rule)
  if (content.check === null || !type.isJson) return null
  if (!type.isUtf8) throw unsupported(method, rule, 'JSON must be in UTF-8.')
  const coding = headers.combined('Content-Encoding')
  if (coding !== undefined && coding.toLowerCase() !== 'identity')
    throw new GatewayError('unsupported-media-type', 'The body must not have a content coding.', {
      headers: [['Accept-Encoding', 'identity']],
    })
  return content
}

/**
 * Enforces the size limit of the body, and reads and checks it if required; it is passed on unchanged. Null if there is nothing to
 * wait for. Throws, or rejects with, GatewayError.
 */
export function takeBody(exchange: Exchange, rule: BodyRule, content: Content | null): Promise<void> | null {
  const check = content?.check ?? null
  if (check === null) {
    exchange.body = limitBody(exchange.body, rule.limit)
    return null
  }
  const { body } = exchange
  if (body instanceof Bytes && body.length <= rule.checkedLimit) {
    checkDocument(body, check)
    return null
  }
  return collect(body, rule.checkedLimit, exchange.client.address).then((bytes) => {
    checkDocument(bytes, check)
    exchange.body = bytes
    // Trailers were dropped with the stream.
    exchange.headers.delete('Trailer')
  })
}

/** Throws GatewayError for a body that is not JSON, or does not match its schema. */
export function checkDocument(bytes: Bytes, check: Check): void {
  let value: unknown
  try {
    value = parseStrictly(bytes.toBuffer())
  } catch (error) {
    if (!(error instanceof MalformedJson)) throw error
    throw refusal('bad-request', `The body ${error.message}.`, [{ pointer: '', in: 'body', detail: error.message }])
  }
  const violations = check(value, bytes.length, 'body')
  if (violations !== null) throw refusal('unprocessable-content', 'The body does not match its schema.', violations)
}

/** The declared type of the body; null if that is malformed, or declared twice. */
function contentType(headers: Headers): ContentType | null {
  const [type, ...others] = headers.getAll('Content-Type')
  if (type === undefined) return UNKNOWN
  return others.length > 0 ? null : parseContentType(type)
}

/** RFC 9110 section 15.5.16. */
function unsupported(method: string, { accept }: BodyRule, detail?: string): GatewayError {
  const field = ACCEPT_FIELDS.get(method)
  const expected = accept === '' ? 'A body is not accepted here.' : `The body must be ${accept}.`
  const headers =
    accept === '' ? [] : ['Accept', ...(field === undefined ? [] : [field])].map((name) => [name, accept] as const)
  return new GatewayError('unsupported-media-type', detail ?? expected, { headers })
}
