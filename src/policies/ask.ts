import type { Exchange } from '../http/exchange.ts'

/** What of an exchange a policy changes which has the service asked for something else than the client did. */
export type Asked = Partial<Pick<Exchange, 'method' | 'path' | 'query' | 'headers' | 'body' | 'grpc' | 'refusal'>>

/** Puts it into the exchange, and returns what gives back all that tells what the client asked, for the log and the steps further out. */
export function ask(exchange: Exchange, asked: Asked): () => void {
  const { method, path, query, headers } = exchange
  Object.assign(exchange, asked)
  return () => {
    Object.assign(exchange, { method, path, query, headers })
  }
}
