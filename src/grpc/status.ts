/** The names of the gRPC status codes; the code is the index in the list (gRPC, "Status codes and their use"). */
export const grpcStatusNames = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const

export type GrpcStatusName = (typeof grpcStatusNames)[number]

/** A code as in grpc-status: 0 to 16. */
export type GrpcStatus = number

/** The code with that name. */
export function grpcStatus(name: GrpcStatusName): GrpcStatus {
  return grpcStatusNames.indexOf(name)
}

/** The name of a code. */
export function grpcStatusName(status: GrpcStatus): GrpcStatusName {
  return grpcStatusNames[status] ?? 'UNKNOWN'
}

const UNKNOWN = grpcStatus('UNKNOWN')

/** The code in grpc-status: 'UNKNOWN' for anything that is not a gRPC code, as clients treat it. */
export function parseGrpcStatus(text: string): GrpcStatus {
  return /^\d{1,2}$/.test(text) && Number(text) < grpcStatusNames.length ? Number(text) : UNKNOWN
}
