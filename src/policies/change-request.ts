import type { Exchange } from '../http/exchange.ts'
import { editReplies, type Handler } from '../http/handler.ts'
import type { RequestForm } from '../http/internal-exchange.ts'

/** The parts of an exchange that a policy changes so that the service receives a different request from the one the client sent. */
export type RequestChanges = Partial<
  Pick<Exchange, 'method' | 'path' | 'query' | 'headers' | 'body' | 'grpc' | 'refusal'>
>

/** Applies the changes to the exchange. Returns a function that restores what the client asked for, for the log and the outer steps. */
export function changeRequest(exchange: Exchange, changes: RequestChanges): () => void {
  const { method, path, query, headers } = exchange
  Object.assign(exchange, changes)
  return () => {
    Object.assign(exchange, { method, path, query, headers })
  }
}

/**
 * Lets `change` alter path, query and headers of the request, and passes it on. From the reply on, the exchange has those of the client
 * again: the log and the outer steps, such as compression and CORS, go by what the client asked for.
 */
export function changedFor(next: Handler, change: (exchange: Exchange) => void): Handler {
  const handle = editReplies<RequestForm>(next, (_, exchange, asked) => void Object.assign(exchange, asked))
  return (exchange) => {
    const { path, query, headers } = exchange
    Object.assign(exchange, { headers: headers.clone() })
    change(exchange)
    return handle(exchange, { path, query, headers })
  }
}
