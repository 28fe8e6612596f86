import type { ErrorCode, ErrorKind } from '../core/errors.ts'
import { grpcStatus, type GrpcStatus, type GrpcStatusName } from './status.ts'

/** The gRPC codes of the gateway's own errors. */
const names = {
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
} as const satisfies Readonly<Record<ErrorCode, GrpcStatusName>>

const byCode: ReadonlyMap<string, GrpcStatusName> = new Map(Object.entries(names))

/** The codes of errors that custom policies define, by HTTP status: the reverse of google.rpc.Code. */
const byStatus: ReadonlyMap<number, GrpcStatusName> = new Map([
  [401, 'UNAUTHENTICATED'],
  [403, 'PERMISSION_DENIED'],
  [404, 'NOT_FOUND'],
  [408, 'DEADLINE_EXCEEDED'],
  [409, 'ABORTED'],
  [410, 'NOT_FOUND'],
  [412, 'FAILED_PRECONDITION'],
  [413, 'RESOURCE_EXHAUSTED'],
  [421, 'FAILED_PRECONDITION'],
  [423, 'FAILED_PRECONDITION'],
  [424, 'FAILED_PRECONDITION'],
  [428, 'FAILED_PRECONDITION'],
  [429, 'RESOURCE_EXHAUSTED'],
  [431, 'RESOURCE_EXHAUSTED'],
  [499, 'CANCELLED'],
  [501, 'UNIMPLEMENTED'],
  [502, 'UNAVAILABLE'],
  [503, 'UNAVAILABLE'],
  [504, 'DEADLINE_EXCEEDED'],
  [507, 'RESOURCE_EXHAUSTED'],
])

/** The gRPC code of an error. */
export function statusOfError({ code, status }: ErrorKind): GrpcStatus {
  const name = byCode.get(code) ?? byStatus.get(status) ?? (status < 500 ? 'INVALID_ARGUMENT' : 'INTERNAL')
  return grpcStatus(name)
}
