import { type GrpcStatus, grpcStatusName } from '../../grpc/status.ts'
import type { Ejection } from '../health/ejections.ts'
import { failureReasons, type FailureReason } from '../outcome.ts'

/** Failure reasons in words. */
const WORDS: Readonly<Record<FailureReason, string>> = {
  connect: 'the connection failed',
  tls: 'the TLS connection failed',
  refused: 'the request was not processed',
  timeout: 'no reply in time',
  closed: 'the connection was closed before the end of the reply',
  invalid: 'a reply that is not valid HTTP',
  busy: 'no connection was free',
  streams: 'too many streams',
}

/** Codes from here on are gRPC statuses. */
const GRPC = 1_000

/** Encodes a failure as a number: its status, or the reason if there was no reply. */
export function failureCode(status: number, reason: FailureReason | null, grpcStatus: GrpcStatus | null): number {
  if (reason !== null) return failureReasons.indexOf(reason)
  return grpcStatus === null ? status : GRPC + grpcStatus
}

function failureWords(code: number): string {
  if (code >= GRPC) return `gRPC status ${grpcStatusName(code - GRPC)}`
  const reason = failureReasons[code]
  return reason === undefined ? `status ${code}` : WORDS[reason]
}

/** Why an instance was ejected, in words for operators. */
export function ejectionWords({ reason, amount, of }: Pick<Ejection, 'reason' | 'amount' | 'of'>): string {
  if (reason === 'row') return `${amount} failures in a row, the last one: ${failureWords(of)}`
  if (reason === 'rate') return `${amount}% of the last ${of} requests failed`
  return `${amount} requests wait for a reply, and nothing came for ${(of / 1000).toFixed(1)} s while others replied`
}
