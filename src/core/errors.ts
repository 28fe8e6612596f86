import { checkField } from './field.ts'

/** Who is to blame for an error; determines health counting, retries and the log level. */
export type Fault = 'client' | 'service' | 'gateway'

/** An entry of the error table. */
export interface ErrorEntry {
  readonly status: number
  readonly fault: Fault
  /** Short, and identical for every occurrence (RFC 9457 section 3.1.4). */
  readonly title: string
  /** URI of a registered problem type (RFC 9457 section 4.2) to use instead of the gateway's own. */
  readonly type?: string
}

const REDUCED_CAPACITY = 'https://iana.org/assignments/http-problem-types#temporary-reduced-capacity'

/** Every error of the gateway itself: code -> status, fault, title. This is the only place where they are listed. */
export const errorTable = {
  'bad-request': { status: 400, fault: 'client', title: 'Bad request' },
  unauthorized: { status: 401, fault: 'client', title: 'Unauthorized' },
  forbidden: { status: 403, fault: 'client', title: 'Forbidden' },
  'not-found': { status: 404, fault: 'client', title: 'Not found' },
  'method-not-allowed': { status: 405, fault: 'client', title: 'Method not allowed' },
  'request-timeout': { status: 408, fault: 'client', title: 'Request timeout' },
  conflict: { status: 409, fault: 'client', title: 'Conflict' },
  'precondition-failed': { status: 412, fault: 'client', title: 'Precondition failed' },
  'content-too-large': { status: 413, fault: 'client', title: 'Content too large' },
  'uri-too-long': { status: 414, fault: 'client', title: 'URI too long' },
  'unsupported-media-type': { status: 415, fault: 'client', title: 'Unsupported media type' },
  'expectation-failed': { status: 417, fault: 'client', title: 'Expectation failed' },
  'misdirected-request': { status: 421, fault: 'client', title: 'Misdirected request' },
  'unprocessable-content': { status: 422, fault: 'client', title: 'Unprocessable content' },
  'precondition-required': { status: 428, fault: 'client', title: 'Precondition required' },
  'rate-limited': {
    status: 429,
    fault: 'client',
    title: 'Quota exceeded',
    // draft-ietf-httpapi-ratelimit-headers-11 section 5.1
    type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
  },
  'idempotency-outstanding': { status: 409, fault: 'client', title: 'Request with this key is in progress' },
  'idempotency-unrepeatable': { status: 409, fault: 'client', title: 'Request with this key was sent before' },
  'idempotency-key-reused': { status: 422, fault: 'client', title: 'Key used for another request' },
  'headers-too-large': { status: 431, fault: 'client', title: 'Request header fields too large' },
  'client-closed': { status: 499, fault: 'client', title: 'Client closed request' },
  'internal-error': { status: 500, fault: 'gateway', title: 'Internal server error' },
  'not-implemented': { status: 501, fault: 'client', title: 'Not implemented' },
  'bad-gateway': { status: 502, fault: 'service', title: 'Bad gateway' },
  'service-unavailable': { status: 503, fault: 'service', title: 'Service unavailable' },
  'too-busy': { status: 503, fault: 'gateway', title: 'Gateway too busy' },
  // draft-ietf-httpapi-ratelimit-headers-11 section 5.2
  'service-overloaded': { status: 503, fault: 'gateway', title: 'Service overloaded', type: REDUCED_CAPACITY },
  'gateway-overloaded': { status: 503, fault: 'gateway', title: 'Gateway overloaded', type: REDUCED_CAPACITY },
  maintenance: { status: 503, fault: 'gateway', title: 'Under maintenance' },
  'route-changed': { status: 503, fault: 'gateway', title: 'Route changed' },
  'limits-unavailable': { status: 503, fault: 'gateway', title: 'Limits unavailable' },
  'idempotency-unavailable': { status: 503, fault: 'gateway', title: 'Idempotency unavailable' },
  'keys-unavailable': { status: 503, fault: 'gateway', title: 'API keys unavailable' },
  'gateway-timeout': { status: 504, fault: 'service', title: 'Gateway timeout' },
  // The client's own deadline, sent with the request (gRPC).
  'deadline-exceeded': { status: 504, fault: 'client', title: 'Deadline exceeded' },
  'not-cached': { status: 504, fault: 'client', title: 'Not available from the cache' },
  // RFC 8586
  'loop-detected': { status: 508, fault: 'client', title: 'Loop detected' },
  'version-not-supported': { status: 505, fault: 'client', title: 'HTTP version not supported' },
} as const satisfies Record<string, ErrorEntry>

/** A code in the error table. */
export type ErrorCode = keyof typeof errorTable

/** What all occurrences of an error have in common: an entry of the error table, or an error of a custom policy. */
export interface ErrorKind extends Required<ErrorEntry> {
  readonly code: string
}

/** All kinds there are: objects that only look like one do not get round the checks of `defineError`. */
const known = new WeakSet<ErrorKind>()

const kinds = new Map(Object.entries<ErrorEntry>(errorTable).map(([code, entry]) => [code, kindOf(code, entry)]))

/** The kind that is meant. Throws a TypeError if it is neither in the error table nor made by `defineError`. */
export function errorKind(what: ErrorCode | ErrorKind): ErrorKind {
  const kind = typeof what === 'string' ? kinds.get(what) : what
  if (kind !== undefined && known.has(kind)) return kind
  throw new TypeError(`there is no error ${JSON.stringify(what)}; define it with defineError`)
}

/** All errors of the gateway itself, in the order of the table. */
export function errorKinds(): readonly ErrorKind[] {
  return [...kinds.values()]
}

/** An error of a custom policy, as its author writes it. */
export interface ErrorDefinition extends Omit<ErrorEntry, 'fault'> {
  /** Identifies the error in logs and metrics: lower-case words, digits and hyphens, such as "tenant-unknown". */
  readonly code: string
  /** Default: client for 4xx, gateway for 5xx. */
  readonly fault?: Fault
}

const CODE = /^[a-z]+(?:-[a-z0-9]+)*$/
const MAX_CODE_LENGTH = 64

/**
 * Defines an error of a custom policy, to be thrown as `new GatewayError(kind, detail)`. Its type is
 * `urn:sallyport:error:CODE` unless it has a `type`. Throws a TypeError or RangeError if the code is malformed or belongs to the
 * gateway, or if the status is not from 400 to 599.
 */
export function defineError(definition: ErrorDefinition): ErrorKind {
  const { code, status, title, type } = definition
  if (typeof code !== 'string' || !CODE.test(code) || code.length > MAX_CODE_LENGTH)
    throw new TypeError(
      `the error code ${JSON.stringify(code)} is malformed; expected lower-case words such as "tenant-unknown"`,
    )
  const here = `the error "${code}"`
  if (kinds.has(code)) throw new TypeError(`${here} is one of the gateway's own; choose another code`)
  if (!Number.isInteger(status) || status < 400 || status > 599)
    throw new RangeError(`${here} has the status ${status}; expected a whole number from 400 to 599`)
  const { fault = status < 500 ? 'client' : 'gateway' } = definition
  if (!FAULTS.has(fault)) throw new TypeError(`${here} has the fault ${fault}; expected client, service or gateway`)
  if (typeof title !== 'string' || title === '') throw new TypeError(`${here} has no title`)
  if (type !== undefined && !URL.canParse(type))
    throw new TypeError(`${here} has the type ${JSON.stringify(type)}; expected an absolute URI`)
  return kindOf(code, { status, fault, title, ...(type !== undefined && { type }) })
}

const FAULTS: ReadonlySet<string> = new Set<Fault>(['client', 'service', 'gateway'])

/** The type is a URN, not a URL: a page would have to stay available for as long as clients compare the identifier. */
function kindOf(code: string, { status, fault, title, type = `urn:sallyport:error:${code}` }: ErrorEntry): ErrorKind {
  const kind = Object.freeze({ code, status, fault, title, type })
  known.add(kind)
  return kind
}

/** Optional details of an error, in addition to its code and message. */
export interface GatewayErrorOptions {
  /** The underlying error: logged, never shown to the client. */
  readonly cause?: unknown
  /** Headers the reply must carry, such as Allow or Retry-After: [name, value]. */
  readonly headers?: readonly (readonly [name: string, value: string])[]
  /** Additional members of the problem document (RFC 9457 section 3.2). */
  readonly members?: Readonly<Record<string, unknown>>
}

/** An error of the error table, or one of a custom policy. Always turned into one problem+json reply, wherever it is thrown. */
export class GatewayError extends Error {
  // Private, so that the log does not repeat its members.
  readonly #kind: ErrorKind
  readonly code: string
  /** HTTP status of the reply. */
  readonly status: number
  readonly fault: Fault
  readonly title: string
  readonly detail: string | undefined
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly members: Readonly<Record<string, unknown>> | undefined

  /**
   * `detail` is shown to the client: it says what happened, to what, and what to do about it, and contains no secrets. Throws a TypeError
   * for headers that are not valid in HTTP.
   */
  constructor(what: ErrorCode | ErrorKind, detail?: string, options: GatewayErrorOptions = {}) {
    const kind = errorKind(what)
    // A stack trace is only useful for unexpected bugs, and capturing one costs more than the whole reply.
    const { stackTraceLimit } = Error
    if (kind.code !== 'internal-error') Error.stackTraceLimit = 0
    super(detail ?? kind.title, { cause: options.cause })
    Error.stackTraceLimit = stackTraceLimit
    this.name = 'GatewayError'
    this.#kind = kind
    this.code = kind.code
    this.status = kind.status
    this.fault = kind.fault
    this.title = kind.title
    this.detail = detail
    this.headers = options.headers ?? []
    // Checked here so that the mistake surfaces where the error is created, not later when the reply is built from it.
    for (const [field, value] of this.headers) checkField(field, value)
    this.members = options.members
  }

  get kind(): ErrorKind {
    return this.#kind
  }
}

/** Converts a thrown value to a GatewayError: returned unchanged if it is one, otherwise 'internal-error' with the value as the cause. */
export function asGatewayError(thrown: unknown): GatewayError {
  return thrown instanceof GatewayError ? thrown : new GatewayError('internal-error', undefined, { cause: thrown })
}

/** The message of the innermost cause of an error; undefined if it has no cause. */
export function rootCause({ cause }: Error): string | undefined {
  if (!(cause instanceof Error)) return undefined
  return rootCause(cause) ?? cause.message
}
