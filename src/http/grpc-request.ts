import { GatewayError } from '../core/errors.ts'
import { GrpcCall, isGrpc } from '../grpc/call.ts'
import { parseTimeout } from '../grpc/timeout.ts'
import type { Headers } from './headers.ts'
import type { Protocol } from './received-head.ts'

/** Stands in the fields of every call of gRPC: a quick look, before one at what it says. */
export const MAYBE_GRPC = 'application/grpc'

const TIMEOUT = 'grpc-timeout'

/**
 * What there is to know of a request with these fields, which has come at `start`, as a call of gRPC; null where it is none. Its timeout
 * is no longer among the fields: what is left of it is written for each instance.
 */
export function callOf(headers: Headers, start: number): GrpcCall | null {
  if (!isGrpc(headers.get('Content-Type'))) return null
  const timeout = headers.combined(TIMEOUT)
  if (timeout === undefined) return new GrpcCall(Number.POSITIVE_INFINITY)
  headers.delete(TIMEOUT)
  // What is no time is found by `refusalOfCall`.
  return new GrpcCall(start + (parseTimeout(timeout) ?? Number.NaN))
}

/** Why a call that has come in that version of HTTP is refused; null where it is not. */
export function refusalOfCall({ deadline }: GrpcCall, protocol: Protocol): GatewayError | null {
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
