import { statusOfInstance, statusWithoutOne } from '../grpc/http-status.ts'
import { grpcStatus, type GrpcStatus, grpcStatusName, type GrpcStatusName } from '../grpc/status.ts'
import type { ExchangeNotes } from '../http/exchange.ts'

/**
 * Where a call that is over has no status that came with its reply, keeps the one that its client makes of what came. None where the reply
 * was whole and not an error: its service does not speak gRPC, and any client may say that a request is a call.
 */
export function settleCall({ grpc, aborted }: ExchangeNotes, status: number, whole: boolean, end: number): void {
  if (grpc === null || grpc.status !== null) return
  if (aborted) grpc.status = grpcStatus(end >= grpc.deadline ? 'DEADLINE_EXCEEDED' : 'CANCELLED')
  else if (status === 200 && !whole) grpc.status = grpcStatus('INTERNAL')
  else if (status !== 200) grpc.status = statusWithoutOne(status)
}

/** How a call ended, by name; null where nothing says it, and for an exchange that is none. */
export function callStatus({ grpc }: Pick<ExchangeNotes, 'grpc'>): GrpcStatusName | null {
  return grpc === null || grpc.status === null ? null : grpcStatusName(grpc.status)
}

/** The HTTP status that says how an exchange went: its own, or for a call 500 or 503 where that failed. */
export function statusInHttp({ grpc }: Pick<ExchangeNotes, 'grpc'>, status: number): number {
  if (grpc === null || grpc.status === null || status !== 200) return status
  return statusOfInstance(grpc.status)
}

/** Statuses that are the server's to mend (OpenTelemetry, semantic conventions for gRPC, "Status"). */
const OF_SERVER: ReadonlySet<GrpcStatus> = new Set(
  (['UNKNOWN', 'DEADLINE_EXCEEDED', 'UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS'] as const).map(grpcStatus),
)

/** Whether a status is an error of the server's span. */
export function isServerError(status: GrpcStatus): boolean {
  return OF_SERVER.has(status)
}
