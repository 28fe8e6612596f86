import { Bytes } from './body.ts'
import { asGatewayError, type GatewayError } from '../core/errors.ts'
import type { ExchangeNotes } from './exchange.ts'
import { callErrorReply } from './grpc-error.ts'
import { knownLine } from './field-lines.ts'
import { headersFromWire } from './headers.ts'
import { Reply } from './reply.ts'
import { newUuid } from '../core/uuid.ts'

/** The header fields of every problem document, in wire format. */
export const PROBLEM_FIELDS =
  knownLine('Content-Type', 'application/problem+json') + knownLine('Cache-Control', 'no-store')

/**
 * The reply that reports an error to the client: application/problem+json (RFC 9457) with the correlation id as its
 * `instance` and the trace id, where there is one, as its `trace_id`. Anything but a GatewayError becomes
 * 'internal-error' and reveals no details.
 */
export function problemReply(thrown: unknown, correlationId: string, traceId = ''): Reply {
  const error = asGatewayError(thrown)
  const headers = headersFromWire(PROBLEM_FIELDS)
  for (const [name, value] of error.headers) headers.append(name, value)
  return new Reply(error.status, headers, Bytes.fromText(problemText(error, correlationId, traceId)))
}

/** The problem document of an error as JSON, with that id as its `instance` and, unless it is "", the trace id. */
export function problemText(error: GatewayError, correlationId: string, traceId = ''): string {
  const trace = traceId === '' ? undefined : traceId
  const { type, title, status } = error.kind
  const own = { type, title, status, detail: error.detail, instance: correlationId, trace_id: trace }
  // Spread twice, so that the standard members come first and others cannot override them.
  return JSON.stringify(error.members === undefined ? own : { ...own, ...error.members, ...own })
}

/**
 * The reply that reports an error: a problem document, or the gRPC equivalent. Stores the error in the exchange, and
 * gives the exchange a correlation id if it has none yet.
 */
export function errorReply(thrown: unknown, exchange: ExchangeNotes): Reply {
  exchange.correlationId ||= newUuid()
  exchange.error = asGatewayError(thrown)
  if (exchange.grpc !== null) return callErrorReply(exchange.error, exchange.grpc)
  return problemReply(exchange.error, exchange.correlationId, exchange.trace.traceId)
}
