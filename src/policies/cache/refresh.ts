import { type BodySink, isStream } from '../../http/body.ts'
import type { Exchange } from '../../http/exchange.ts'
import { ownExchange } from '../../http/own-exchange.ts'
import type { Reply } from '../../http/reply.ts'

/** A request made again for the cache's sake alone, after its client was answered with a stale reply. */
export function refreshOf(exchange: Exchange, start: number): Exchange {
  const { path, query, host, headers, client } = exchange
  const copy = ownExchange({ method: 'GET', target: path + query, host, headers, client, start })
  copy.path = path
  copy.forms = exchange.forms
  copy.query = query
  copy.target = exchange.target
  copy.correlationId = exchange.correlationId
  copy.route = exchange.route
  copy.params = exchange.params
  copy.consumer = exchange.consumer
  copy.trace = exchange.trace
  return copy
}

const NOWHERE: BodySink = { write: () => true, end() {}, fail() {} }

/** Takes a reply that nobody waits for, so that it is read to its end. */
export function consume({ body }: Reply): void {
  if (isStream(body)) body.pipe(NOWHERE)
}
