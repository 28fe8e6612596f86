import type { ErrorCode } from '../core/errors.ts'
import { grpcStatus, type GrpcStatus, type GrpcStatusName } from './status.ts'

/** The gRPC codes of the gateway's own errors. */
const names: Readonly<Record<ErrorCode, GrpcStatusName>> = {
  'bad-request': 'INVALID_ARGUMENT',
  unauthorized: 'UNAUTHENTICATED',
  forbidden: 'PERMISSION_DENIED',
  // There is no such service or method.
  'not-found': 'UNIMPLEMENTED',
  'method-not-allowed': 'UNIMPLEMENTED',
  'request-timeout': 'DEADLINE_EXCEEDED',
  conflict: 'ABORTED',
  'precondition-failed': 'FAILED_PRECONDITION',
  'content-too-large': 'RESOURCE_EXHAUSTED',
  'uri-too-long': 'INVALID_ARGUMENT',
  'unsupported-media-type': 'INVALID_ARGUMENT',
  'expectation-failed': 'INVALID_ARGUMENT',
  'misdirected-request': 'FAILED_PRECONDITION',
  'unprocessable-content': 'INVALID_ARGUMENT',
  'precondition-required': 'FAILED_PRECONDITION',
  'rate-limited': 'RESOURCE_EXHAUSTED',
  'idempotency-outstanding': 'ABORTED',
  'idempotency-unrepeatable': 'ALREADY_EXISTS',
  'idempotency-key-reused': 'INVALID_ARGUMENT',
  'headers-too-large': 'RESOURCE_EXHAUSTED',
  'client-closed': 'CANCELLED',
  'internal-error': 'INTERNAL',
  'not-implemented': 'UNIMPLEMENTED',
  'bad-gateway': 'UNAVAILABLE',
  'service-unavailable': 'UNAVAILABLE',
  'too-busy': 'UNAVAILABLE',
  'service-overloaded': 'UNAVAILABLE',
  'gateway-overloaded': 'UNAVAILABLE',
  maintenance: 'UNAVAILABLE',
  'route-changed': 'UNAVAILABLE',
  'limits-unavailable': 'UNAVAILABLE',
  'idempotency-unavailable': 'UNAVAILABLE',
  'keys-unavailable': 'UNAVAILABLE',
  'gateway-timeout': 'DEADLINE_EXCEEDED',
  'deadline-exceeded': 'DEADLINE_EXCEEDED',
  'not-cached': 'FAILED_PRECONDITION',
  'loop-detected': 'FAILED_PRECONDITION',
  'version-not-supported': 'UNIMPLEMENTED',
}

/** The gRPC code of a gateway error. */
export function statusOfError(code: ErrorCode): GrpcStatus {
  return grpcStatus(names[code])
}
