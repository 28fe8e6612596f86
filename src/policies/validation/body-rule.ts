import { Bytes, collect } from '../../http/body.ts'
import { GatewayError } from '../../core/errors.ts'
import type { Exchange } from '../../http/exchange.ts'
import type { Headers } from '../../http/headers.ts'
import { limitBody } from '../../http/limited-body.ts'
import { type ContentType, parseContentType, UNKNOWN } from './content-type.ts'
import { MalformedJson, parseStrictly } from './json-document.ts'
import type { Check } from './schema.ts'
import { refusal } from './violations.ts'

/** Requests with these have content as a rule (RFC 9110 section 9.3, RFC 5789 section 2): it can be missing. */
const WITH_CONTENT = new Set(['POST', 'PUT', 'PATCH', 'QUERY'])

/** Fields that name what would be taken, by method (RFC 5789 section 3.1, W3C Linked Data Platform section 7.1). */
const ACCEPT_FIELDS = new Map([
  ['PATCH', 'Accept-Patch'],
  ['POST', 'Accept-Post'],
])

/** A kind of content that is taken. */
export interface Content {
  /** Whether it is of that kind, given type and subtype. */
  readonly takes: (essence: string) => boolean
  /** Of its JSON; null where any will do. */
  readonly check: Check | null
}

/** What the body of a request must be like. */
export interface BodyRule {
  /** Octets; infinity where the listener alone sets a limit. */
  readonly limit: number
  /** Octets of a body that is read to be checked. */
  readonly checkedLimit: number
  readonly required: boolean
  /** What is taken, the closest first; null for everything. */
  readonly contents: readonly Content[] | null
  /** The same for the field Accept. */
  readonly accept: string
}

/** The kind of the content by what the head says; null where nothing is to be checked. Throws GatewayError. */
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
  if (!type.isUtf8) throw unsupported(method, rule, 'JSON is taken in UTF-8 only.')
  const coding = headers.combined('Content-Encoding')
  if (coding !== undefined && coding.toLowerCase() !== 'identity')
    throw new GatewayError('unsupported-media-type', 'The body is taken without a content coding only.', {
      headers: [['Accept-Encoding', 'identity']],
    })
  return content
}

/**
 * Holds the body to its size, and reads and checks it where it is to be checked; it is passed on octet for octet. Null
 * where there is nothing to wait for. Throws, or rejects with, GatewayError.
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
  })
}

/** Throws GatewayError for a body that is no JSON, or not as its schema says. */
export function checkDocument(bytes: Bytes, check: Check): void {
  let value: unknown
  try {
    value = parseStrictly(bytes.toBuffer())
  } catch (error) {
    if (!(error instanceof MalformedJson)) throw error
    throw refusal('bad-request', `The body ${error.message}.`, [{ pointer: '', in: 'body', detail: error.message }])
  }
  const violations = check(value, bytes.length, 'body')
  if (violations !== null) throw refusal('unprocessable-content', 'The body is not as its schema says.', violations)
}

/** What the body is declared to be; null where that is malformed, or said twice. */
function contentType(headers: Headers): ContentType | null {
  const [type, ...others] = headers.getAll('Content-Type')
  if (type === undefined) return UNKNOWN
  return others.length > 0 ? null : parseContentType(type)
}

/** RFC 9110 section 15.5.16. */
function unsupported(method: string, { accept }: BodyRule, detail?: string): GatewayError {
  const field = ACCEPT_FIELDS.get(method)
  const taken = accept === '' ? 'A body is not taken here.' : `The body may be ${accept}.`
  const headers =
    accept === '' ? [] : ['Accept', ...(field === undefined ? [] : [field])].map((name) => [name, accept] as const)
  return new GatewayError('unsupported-media-type', detail ?? taken, { headers })
}
