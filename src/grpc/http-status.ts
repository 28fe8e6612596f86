import { grpcStatus, type GrpcStatus } from './status.ts'

/** gRPC, "HTTP to gRPC Status Code Mapping". */
const FOR_CLIENTS: ReadonlyMap<number, GrpcStatus> = new Map([
  [400, grpcStatus('INTERNAL')],
  [401, grpcStatus('UNAUTHENTICATED')],
  [403, grpcStatus('PERMISSION_DENIED')],
  [404, grpcStatus('UNIMPLEMENTED')],
  [429, grpcStatus('UNAVAILABLE')],
  [502, grpcStatus('UNAVAILABLE')],
  [503, grpcStatus('UNAVAILABLE')],
  [504, grpcStatus('UNAVAILABLE')],
])

/** The gRPC status that clients infer from a reply with that HTTP status and no grpc-status. */
export function statusWithoutOne(status: number): GrpcStatus {
  return FOR_CLIENTS.get(status) ?? grpcStatus('UNKNOWN')
}

/**
 * The equivalent HTTP status for judging the instance: 503 if it could not work at all, 500 if it failed to process the request, 200 for
 * everything that is not its fault. Deadline and method are the client's choice.
 */
const OF_INSTANCE: ReadonlyMap<GrpcStatus, number> = new Map([
  [grpcStatus('UNAVAILABLE'), 503],
  [grpcStatus('UNKNOWN'), 500],
  [grpcStatus('INTERNAL'), 500],
  [grpcStatus('DATA_LOSS'), 500],
])

/** The HTTP status by which an instance that replied with that code is judged. */
export function statusOfInstance(status: GrpcStatus): number {
  return OF_INSTANCE.get(status) ?? 200
}
