import { GatewayError } from '../core/errors.ts'
import { GrpcCall, isGrpc } from '../grpc/call.ts'
import { parseTimeout } from '../grpc/timeout.ts'
import type { Headers } from './headers.ts'
import type { HttpVersion } from './received-head.ts'

/** Occurs in the header fields of every gRPC call: a cheap test before the exact one. */
export const MAYBE_GRPC = 'application/grpc'

const TIMEOUT = 'grpc-timeout'

/**
 * The details of a request with these header fields, received at `start`, as a gRPC call; null where it is not one. Its
 * timeout is removed from the fields: the time that is left is written for each instance.
 */
export function callOf(headers: Headers, start: number): GrpcCall | null {
  if (!isGrpc(headers.get('Content-Type'))) return null
  const timeout = headers.combined(TIMEOUT)
  if (timeout === undefined) return new GrpcCall(Number.POSITIVE_INFINITY)
  headers.delete(TIMEOUT)
  // Malformed timeouts become NaN, which `refusalOfCall` reports.
  return new GrpcCall(start + (parseTimeout(timeout) ?? Number.NaN))
}

/** Why a call received in that HTTP version is refused; null where it is accepted. */
export function refusalOfCall({ deadline }: GrpcCall, protocol: HttpVersion): GatewayError | null {
  if (Number.isNaN(deadline))
    return new GatewayError(
      'bad-request',
      'grpc-timeout is malformed: expected up to eight digits and one of H, M, S, m, u and n.',
    )
  if (protocol === '2') return null
  return new GatewayError(
    'version-not-supported',
    'gRPC needs HTTP/2 all the way from the client: enable it in the client and in each proxy in front of the gateway.',
  )
}
