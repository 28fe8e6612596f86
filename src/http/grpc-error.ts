import type { GatewayError } from '../core/errors.ts'
import { encodeMessage } from '../grpc/message.ts'
import type { GrpcCall } from '../grpc/call.ts'
import { statusOfError } from '../grpc/error-status.ts'
import { knownLine } from './field-lines.ts'
import { type Headers, headersFromWire } from './headers.ts'
import { Reply } from './reply.ts'

/** The field in which a reply carries the status of the call, spelled as in HTTP/2. */
export const GRPC_STATUS = 'grpc-status'
export const GRPC_MESSAGE = 'grpc-message'

/**
 * A reply that reports an error to a gRPC client: its head doubles as the trailers (gRPC over HTTP/2, "Trailers-Only").
 */
export function callErrorReply(error: GatewayError, call: GrpcCall): Reply {
  const headers = headersFromWire(knownLine('content-type', 'application/grpc') + statusLines(error, call))
  for (const [name, value] of error.headers) headers.append(name, value)
  return new Reply(200, headers, null)
}

/** The trailers that report an error after the head of the reply was sent. */
export function callErrorTrailers(error: GatewayError, call: GrpcCall): Headers {
  return headersFromWire(statusLines(error, call))
}

function statusLines({ kind, title, detail }: GatewayError, call: GrpcCall): string {
  call.status = statusOfError(kind)
  return knownLine(GRPC_STATUS, String(call.status)) + knownLine(GRPC_MESSAGE, encodeMessage(detail ?? title))
}
