import type { Exchange } from '../../http/exchange.ts'
import { editReplies, type Handler } from '../../http/handler.ts'
import type { FailureLimit } from '../rate-limit/failure-limit.ts'

/** What tells a caller that it may not: guesses at passwords, keys and addresses of other people's things end so. */
const REFUSALS = new Set([401, 403])

/**
 * A handler that counts replies with 401 and 403 against the caller's address, whoever made them, and answers with 429
 * where there were too many. `conceal` takes credentials out of what the log shows.
 */
export function countRefusals(handle: Handler, limit: FailureLimit, conceal: (exchange: Exchange) => void): Handler {
  const counted = editReplies(handle, ({ status }, exchange) => {
    if (REFUSALS.has(status)) limit.count(exchange)
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
