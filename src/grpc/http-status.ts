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

/** What clients take a reply for that has that HTTP status and no grpc-status. */
export function statusWithoutOne(status: number): GrpcStatus {
  return FOR_CLIENTS.get(status) ?? grpcStatus('UNKNOWN')
}

/**
 * What says the same of the instance in HTTP: 503 where it could not do its work at all, 500 where it has failed with the request, 200
 * for all that says nothing against it. A deadline is the client's choice, as the method is.
 */
const OF_INSTANCE: ReadonlyMap<GrpcStatus, number> = new Map([
  [grpcStatus('UNAVAILABLE'), 503],
  [grpcStatus('UNKNOWN'), 500],
  [grpcStatus('INTERNAL'), 500],
  [grpcStatus('DATA_LOSS'), 500],
])

/** The HTTP status that an instance is judged by which has replied with that code. */
export function statusOfInstance(status: GrpcStatus): number {
  return OF_INSTANCE.get(status) ?? 200
}
