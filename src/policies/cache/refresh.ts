import { type BodySink, isStream } from '../../http/body.ts'
import type { Exchange } from '../../http/exchange.ts'
import { copyOf } from '../../http/internal-exchange.ts'
import type { Reply } from '../../http/reply.ts'

/** A request repeated only to update the cache, after its client was served a stale reply. */
export function refreshOf(exchange: Exchange, start: number): Exchange {
  return copyOf(exchange, 'GET', start)
}

const NOWHERE: BodySink = { write: () => true, end() {}, fail() {} }

/** Reads a reply to its end that no client is waiting for. */
export function consume({ body }: Reply): void {
  if (isStream(body)) body.pipe(NOWHERE)
}
