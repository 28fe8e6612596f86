import type { Exchange } from '../../http/exchange.ts'
import { editReplies, type Handler } from '../../http/handler.ts'
import { grpcStatus } from '../../grpc/status.ts'
import type { FailureLimit } from '../rate-limit/failure-limit.ts'

/** What tells a caller that it may not: guesses at passwords, keys and addresses of other people's things end so. */
const REFUSALS = new Set([401, 403])
/** The same in gRPC: any client may say that its request is a call. */
const CALL_REFUSALS = new Set([grpcStatus('UNAUTHENTICATED'), grpcStatus('PERMISSION_DENIED')])

/**
 * A handler that counts replies with 401 and 403 against the caller's address, whoever made them, and answers with 429
 * where there were too many. `conceal` takes credentials out of what the log shows.
 */
export function countRefusals(handle: Handler, limit: FailureLimit, conceal: (exchange: Exchange) => void): Handler {
  const counted = editReplies(handle, ({ status }, exchange) => {
    if (REFUSALS.has(status) || isRefusedCall(exchange)) limit.count(exchange)
  })
  return (exchange) => {
    try {
      limit.check(exchange)
    } catch (error) {
      conceal(exchange)
      throw error
    }
    return counted(exchange, undefined)
  }
}

function isRefusedCall({ grpc }: Exchange): boolean {
  return grpc !== null && grpc.status !== null && CALL_REFUSALS.has(grpc.status)
}
