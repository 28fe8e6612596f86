import type { Exchange } from '../../http/exchange.ts'
import { editReplies, type Handler } from '../../http/handler.ts'
import { grpcStatus } from '../../grpc/status.ts'
import type { Reply } from '../../http/reply.ts'
import type { FailureLimit } from '../rate-limit/failure-limit.ts'
import type { Turns } from './turns.ts'

/** Statuses that deny access: counting them limits guessing of passwords, keys and addresses of other people's resources. */
const REFUSALS = new Set([401, 403])
/** The same in gRPC, as any client may claim that its request is a gRPC call. */
const CALL_REFUSALS = new Set([grpcStatus('UNAUTHENTICATED'), grpcStatus('PERMISSION_DENIED')])

/**
 * Wraps a handler so that replies with 401 and 403 count against the client's address, no matter where they come from; once there
 * are too many, it replies with 429. `conceal` removes credentials from what the log shows.
 */
export function countRefusals(
  handle: Handler,
  limit: FailureLimit,
  turns: Turns,
  conceal: (exchange: Exchange) => void,
): Handler {
  const left = (exchange: Exchange): number => limit.check(exchange)
  const counted = editReplies(handle, ({ status }, exchange) => {
    if (REFUSALS.has(status) || isRefusedCall(exchange)) limit.count(exchange)
    turns.end(exchange)
  })

  function refuse(exchange: Exchange, error: unknown): never {
    conceal(exchange)
    throw error
  }

  function turnOf(exchange: Exchange): Promise<void> | null {
    try {
      return turns.begin(exchange, left)
    } catch (error) {
      return refuse(exchange, error)
    }
  }

  return (exchange): Reply | Promise<Reply> => {
    const turn = turnOf(exchange)
    if (turn === null) return counted(exchange)
    return turn.then(
      () => counted(exchange),
      (error: unknown) => refuse(exchange, error),
    )
  }
}

function isRefusedCall({ grpc }: Exchange): boolean {
  return grpc !== null && grpc.status !== null && CALL_REFUSALS.has(grpc.status)
}
