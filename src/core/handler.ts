import type { Exchange } from './exchange.ts'
import { errorReply } from './problem.ts'
import type { Reply } from './reply.ts'

/** Answers an exchange. Synchronous where it can be: a promise costs time on every request. */
export type Handler = (exchange: Exchange) => Reply | Promise<Reply>

/** A step around a handler; applied once, when the configuration loads. */
export type Middleware = (next: Handler) => Handler

/** Wraps `handler` in the steps, the first one outermost. */
export function compose(steps: readonly Middleware[], handler: Handler): Handler {
  return steps.reduceRight((next, step) => step(next), handler)
}

/** Applies `edit` to the reply now or when it comes, without a promise where there is none. */
export function afterwards(reply: Reply | Promise<Reply>, edit: (reply: Reply) => Reply): Reply | Promise<Reply> {
  return reply instanceof Promise ? reply.then(edit) : edit(reply)
}

/**
 * Wraps `next` so that `edit` changes every reply in place, also the problem document of whatever was thrown further in.
 * What was found out before `next` is called may go with the exchange, to be handed to `edit`.
 * Costs no promise where there is none.
 */
export function editReplies<State = void>(
  next: Handler,
  edit: (reply: Reply, exchange: Exchange, state: State) => void,
): (exchange: Exchange, state: State) => Reply | Promise<Reply> {
  async function settle(pending: Promise<Reply>, exchange: Exchange, state: State): Promise<Reply> {
    let reply: Reply
    try {
      reply = await pending
    } catch (thrown) {
      reply = errorReply(thrown, exchange)
    }
    edit(reply, exchange, state)
    return reply
  }
  return (exchange, state) => {
    let reply: Reply | Promise<Reply>
    try {
      reply = next(exchange)
    } catch (thrown) {
      reply = errorReply(thrown, exchange)
    }
    if (reply instanceof Promise) return settle(reply, exchange, state)
    edit(reply, exchange, state)
    return reply
  }
}
