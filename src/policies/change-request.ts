import type { Exchange } from '../http/exchange.ts'

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
