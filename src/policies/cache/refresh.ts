import { type BodySink, isStream } from '../../http/body.ts'
import type { Exchange } from '../../http/exchange.ts'
import { copyOf } from '../../http/own-exchange.ts'
import type { Reply } from '../../http/reply.ts'

/** A request made again for the cache's sake alone, after its client was answered with a stale reply. */
export function refreshOf(exchange: Exchange, start: number): Exchange {
  return copyOf(exchange, 'GET', start)
}

const NOWHERE: BodySink = { write: () => true, end() {}, fail() {} }

/** Takes a reply that nobody waits for, so that it is read to its end. */
export function consume({ body }: Reply): void {
  if (isStream(body)) body.pipe(NOWHERE)
}
