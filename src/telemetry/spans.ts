import {
  type Attributes,
  createTraceState,
  type HrTime,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
} from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import {
  ATTR_CLIENT_ADDRESS,
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_REQUEST_METHOD_ORIGINAL,
  ATTR_HTTP_REQUEST_RESEND_COUNT,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_HTTP_ROUTE,
  ATTR_NETWORK_PROTOCOL_VERSION,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  ATTR_URL_FULL,
  ATTR_URL_PATH,
  ATTR_URL_QUERY,
  ATTR_URL_SCHEME,
  ATTR_USER_AGENT_ORIGINAL,
} from '@opentelemetry/semantic-conventions'
import { errorTable, type GatewayError, rootCause } from '../core/errors.ts'
import { type GrpcStatus, grpcStatusName } from '../grpc/status.ts'
import type { AttemptRecord } from '../http/record.ts'
import type { Trace } from '../http/trace.ts'
import { callAttributes, knownMethod } from './call-attributes.ts'
import { isServerError } from './call-status.ts'
import { redactQuery } from './redact.ts'
import type { Outcome, ReceivedExchange } from './received-exchange.ts'

/** What is the same for all spans. */
export type SpanOrigin = Pick<ReadableSpan, 'resource' | 'instrumentationScope'>

/** Methods that may appear in span names; others could be anything (semantic conventions, HTTP spans). */
const METHODS = new Set(['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'QUERY', 'TRACE'])

/** Maximum number of characters of a URL, and of any other text. */
const URL_LENGTH = 2048
const TEXT_LENGTH = 256

/** What differs from span to span. */
interface SpanParts {
  readonly name: string
  readonly kind: SpanKind
  readonly spanId: string
  readonly parent: SpanContext | undefined
  readonly start: number
  readonly end: number
  readonly attributes: Attributes
  /** Description of the error, or null. */
  readonly failure: string | null
}

/**
 * The spans of a finished exchange: the server span and, below it, a client span for each attempt, following OpenTelemetry's semantic
 * conventions for HTTP. `epoch` is the wall-clock time at monotonic time 0, in milliseconds.
 */
export function spansOf(
  exchange: ReceivedExchange,
  outcome: Outcome,
  epoch: number,
  origin: SpanOrigin,
): readonly ReadableSpan[] {
  const { trace, record } = exchange
  const server = makeSpan(serverParts(exchange, outcome), trace, epoch, origin)
  const events = record?.events ?? []
  server.events.push(
    ...events.map(({ name, time, attributes }) => ({ name, time: at(time, epoch), attributes: { ...attributes } })),
  )
  const attempts = record?.attempts ?? []
  return [
    server,
    ...attempts.map((attempt, index) =>
      makeSpan(clientParts(exchange, outcome, attempt, index, server.spanContext()), trace, epoch, origin),
    ),
  ]
}

function makeSpan(parts: SpanParts, trace: Trace, epoch: number, origin: SpanOrigin): ReadableSpan {
  const { name, kind, parent, start, end, attributes, failure } = parts
  const context = contextOf(trace, parts.spanId)
  return {
    ...origin,
    name,
    kind,
    spanContext: () => context,
    ...(parent !== undefined && { parentSpanContext: parent }),
    startTime: at(start, epoch),
    endTime: at(end, epoch),
    duration: at(end - start, 0),
    status: failure === null ? { code: SpanStatusCode.UNSET } : { code: SpanStatusCode.ERROR, message: failure },
    attributes,
    links: [],
    events: [],
    ended: true,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  }
}

function serverParts(exchange: ReceivedExchange, { status, bytes, whole, end }: Outcome): SpanParts {
  const { method, route, trace, error } = exchange
  const sent = status !== errorTable['client-closed'].status
  const failure = failureOf(exchange, status, whole)
  const attributes: Attributes = {
    ...methodOf(method),
    [ATTR_URL_SCHEME]: exchange.client.scheme,
    [ATTR_URL_PATH]: cut(exchange.path, URL_LENGTH),
    [ATTR_CLIENT_ADDRESS]: exchange.client.address,
    [ATTR_NETWORK_PROTOCOL_VERSION]: exchange.protocol,
    ...serverOf(exchange.host),
    ...callAttributes(exchange, exchange.grpc?.status ?? null),
    'http.response.body.size': bytes,
    'sallyport.route': route.id,
    'sallyport.correlation_id': exchange.correlationId,
  }
  if (sent) attributes[ATTR_HTTP_RESPONSE_STATUS_CODE] = status
  if (exchange.query !== '') attributes[ATTR_URL_QUERY] = cut(redactQuery(exchange.query).slice(1), URL_LENGTH)
  if (route.pattern !== '') attributes[ATTR_HTTP_ROUTE] = route.pattern
  if (route.service !== null) attributes['sallyport.service'] = route.service
  const agent = exchange.headers.get('User-Agent')
  if (agent !== undefined) attributes[ATTR_USER_AGENT_ORIGINAL] = cut(agent, TEXT_LENGTH)
  if (exchange.consumer !== null) attributes['sallyport.tier'] = exchange.consumer.tier
  if (error !== null) attributes['sallyport.error'] = error.code
  const type = exchange.aborted ? 'client-closed' : failure
  if (type !== null) attributes[ATTR_ERROR_TYPE] = type
  return {
    name: (exchange.grpc === null ? null : knownMethod(exchange)) ?? nameOfRoute(method, route.pattern),
    kind: SpanKind.SERVER,
    spanId: trace.spanId,
    parent: trace.parentId === '' ? undefined : { ...contextOf(trace, trace.parentId), isRemote: true },
    start: exchange.start,
    end,
    attributes,
    failure: failure === null || error === null ? failure : reasonOf(error),
  }
}

function nameOfRoute(method: string, pattern: string): string {
  return pattern === '' ? nameOf(method) : `${nameOf(method)} ${pattern}`
}

/** A client error is not an error of the server span (semantic conventions, HTTP spans, status). */
function failureOf({ error, aborted, grpc }: ReceivedExchange, status: number, whole: boolean): string | null {
  if (error !== null && error.fault !== 'client') return error.code
  // A call for which the client allowed too little time is an error of its own span.
  if (error === null && grpc !== null && grpc.status !== null && isServerError(grpc.status))
    return grpcStatusName(grpc.status)
  if (status >= 500) return String(status)
  return whole || aborted ? null : 'reply-broke-off'
}

function clientParts(
  exchange: ReceivedExchange,
  outcome: Outcome,
  attempt: AttemptRecord,
  index: number,
  parent: SpanContext,
): SpanParts {
  const { status, error, instance, scheme, version, grpcStatus } = attempt
  const attributes: Attributes = {
    ...methodOf(exchange.method),
    ...serverOf(instance),
    ...callAttributes(exchange, grpcStatus),
  }
  if (exchange.route.service !== null) attributes['sallyport.service'] = exchange.route.service
  if (attempt.path !== '')
    attributes[ATTR_URL_FULL] = cut(`${scheme}://${instance}${attempt.path}${redactQuery(exchange.query)}`, URL_LENGTH)
  if (status !== 0) {
    attributes[ATTR_HTTP_RESPONSE_STATUS_CODE] = status
    attributes[ATTR_NETWORK_PROTOCOL_VERSION] = version
  }
  if (index > 0) attributes[ATTR_HTTP_REQUEST_RESEND_COUNT] = index
  if (attempt.hedge) attributes['sallyport.hedge'] = true
  if (attempt.givenUp) attributes['sallyport.given_up'] = true
  const type = error?.code ?? typeOfCall(grpcStatus) ?? typeOfStatus(status, exchange.aborted)
  if (type !== null) attributes[ATTR_ERROR_TYPE] = type
  return {
    name: (exchange.grpc === null ? null : knownMethod(exchange)) ?? nameOf(exchange.method),
    kind: SpanKind.CLIENT,
    spanId: attempt.spanId,
    parent,
    start: attempt.start,
    // The client may have disconnected before the instance was done.
    end: Number.isNaN(attempt.end) ? outcome.end : attempt.end,
    attributes,
    failure: error === null ? type : reasonOf(error),
  }
}

/** Every status except OK is an error of a client span. */
function typeOfCall(status: GrpcStatus | null): string | null {
  return status === null || status === 0 ? null : grpcStatusName(status)
}

function typeOfStatus(status: number, aborted: boolean): string | null {
  if (status >= 400) return String(status)
  return status === 0 && aborted ? 'client-closed' : null
}

function nameOf(method: string): string {
  return METHODS.has(method) ? method : 'HTTP'
}

function methodOf(method: string): Attributes {
  if (METHODS.has(method)) return { [ATTR_HTTP_REQUEST_METHOD]: method }
  return { [ATTR_HTTP_REQUEST_METHOD]: '_OTHER', [ATTR_HTTP_REQUEST_METHOD_ORIGINAL]: cut(method, TEXT_LENGTH) }
}

/** Host and port of a text such as "api.example.com:8000" or "[::1]:8000". */
function serverOf(host: string): Attributes {
  const [, address, port] = /^\[?([^\]]*?)\]?(?::(\d+))?$/.exec(host) ?? []
  if (address === undefined || address === '') return {}
  return { [ATTR_SERVER_ADDRESS]: address, ...(port !== undefined && { [ATTR_SERVER_PORT]: Number(port) }) }
}

/** Includes the underlying cause, which the client does not see. */
function reasonOf(error: GatewayError): string {
  const cause = rootCause(error)
  return cut(cause === undefined ? error.message : `${error.message}: ${cause}`, TEXT_LENGTH)
}

function contextOf({ traceId, flags, state }: Trace, spanId: string): SpanContext {
  return { traceId, spanId, traceFlags: flags, ...(state !== '' && { traceState: createTraceState(state) }) }
}

function at(milliseconds: number, epoch: number): HrTime {
  const time = epoch + milliseconds
  const seconds = Math.floor(time / 1000)
  return [seconds, Math.round((time - seconds * 1000) * 1e6)]
}

function cut(text: string, length: number): string {
  return text.length > length ? text.slice(0, length) : text
}
