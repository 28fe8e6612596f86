import type { Clock } from '../core/clock.ts'
import type { Exchange } from '../http/exchange.ts'
import type { Handler, Middleware } from '../http/handler.ts'
import type { Reply } from '../http/reply.ts'

/** Wraps a step so that its own time, excluding inner steps, is added to the exchange's record. */
export function timed(name: string, step: Middleware, clock: Clock): Middleware {
  const measured =
    (handle: Handler, sign: 1 | -1): Handler =>
    (exchange) => {
      const start = clock.now()
      const note = (): void => exchange.record?.spent(name, sign * (clock.now() - start))
      return noting(handle, exchange, note)
    }
  return (next) => measured(step(measured(next, -1)), 1)
}

function noting(handle: Handler, exchange: Exchange, note: () => void): Reply | Promise<Reply> {
  let reply: Reply | Promise<Reply>
  try {
    reply = handle(exchange)
  } catch (thrown) {
    note()
    throw thrown
  }
  if (reply instanceof Promise) return reply.finally(note)
  note()
  return reply
}
