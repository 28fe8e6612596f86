import type { AskedRequest, Exchange } from '../http/exchange.ts'
import { editReplies, type Handler } from '../http/handler.ts'

/** The parts of an exchange that a policy changes so that the service receives a different request from the one the client sent. */
export type RequestChanges = Partial<
  Pick<Exchange, 'method' | 'path' | 'query' | 'headers' | 'body' | 'grpc' | 'refusal'>
>

/** Applies the changes to the exchange. Returns a function that restores what the client asked for, for the log and the outer steps. */
export function changeRequest(exchange: Exchange, changes: RequestChanges): () => void {
  const asked = keepAsked(exchange)
  Object.assign(exchange, changes)
  return () => restore(exchange, asked)
}

/**
 * Lets `change` alter path, query and headers of the request, and passes it on. From the reply on, the exchange has those of the client
 * again: the log and the outer steps, such as compression and CORS, go by what the client asked for.
 */
export function changedFor(next: Handler, change: (exchange: Exchange) => void): Handler {
  const handle = editReplies<AskedRequest>(next, (_, exchange, asked) => restore(exchange, asked))
  return (exchange) => {
    const asked = keepAsked(exchange)
    writable(exchange).headers = asked.headers.clone()
    change(exchange)
    return handle(exchange, asked)
  }
}

/** The first one who changes the request also keeps it for the log, which is written at once if the client leaves. */
function keepAsked(exchange: Exchange): AskedRequest {
  const { method, path, query, headers } = exchange
  const asked = { method, path, query, headers }
  exchange.asked ??= asked
  return asked
}

function restore(exchange: Exchange, asked: AskedRequest): void {
  const request = writable(exchange)
  request.method = asked.method
  request.path = asked.path
  request.query = asked.query
  request.headers = asked.headers
  if (exchange.asked === asked) exchange.asked = null
}

/** Only this file replaces what others may only read. Assignments cost a fraction of `Object.assign`. */
function writable(exchange: Exchange): { -readonly [name in keyof AskedRequest]: AskedRequest[name] } {
  return exchange
}
