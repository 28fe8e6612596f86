import { statusOfInstance, statusWithoutOne } from '../grpc/http-status.ts'
import { grpcStatus, type GrpcStatus, grpcStatusName, type GrpcStatusName } from '../grpc/status.ts'
import type { ExchangeNotes } from '../http/exchange.ts'

/**
 * If a finished call has no status from its reply, stores the status that its client infers from what arrived. None if the reply was
 * complete and not an error: its service does not speak gRPC, and any client may claim that a request is a call.
 */
export function settleCall({ grpc, aborted }: ExchangeNotes, status: number, whole: boolean, end: number): void {
  if (grpc === null || grpc.status !== null) return
  if (aborted) grpc.status = grpcStatus(end >= grpc.deadline ? 'DEADLINE_EXCEEDED' : 'CANCELLED')
  else if (status === 200 && !whole) grpc.status = grpcStatus('INTERNAL')
  else if (status !== 200) grpc.status = statusWithoutOne(status)
}

/** The name of the status of a call; null if it is unknown, and for an exchange that is not a call. */
export function callStatus({ grpc }: Pick<ExchangeNotes, 'grpc'>): GrpcStatusName | null {
  return grpc === null || grpc.status === null ? null : grpcStatusName(grpc.status)
}

/** The HTTP status that reflects the outcome of an exchange: its own, or 500 or 503 for a failed call. */
export function statusInHttp({ grpc }: Pick<ExchangeNotes, 'grpc'>, status: number): number {
  if (grpc === null || grpc.status === null || status !== 200) return status
  return statusOfInstance(grpc.status)
}

/** Statuses that are the server's fault (OpenTelemetry, semantic conventions for gRPC, "Status"). */
const OF_SERVER: ReadonlySet<GrpcStatus> = new Set(
  (['UNKNOWN', 'DEADLINE_EXCEEDED', 'UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS'] as const).map(grpcStatus),
)

/** Whether a status counts as an error of the server span. */
export function isServerError(status: GrpcStatus): boolean {
  return OF_SERVER.has(status)
}
