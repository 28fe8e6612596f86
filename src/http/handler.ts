import type { Exchange, ReplyEdit } from './exchange.ts'
import { errorReply } from './problem.ts'
import { discardReply, type Reply } from './reply.ts'

/** Answers an exchange. Synchronous where possible: a promise costs time on every request. */
export type Handler = (exchange: Exchange) => Reply | Promise<Reply>

/** A step wrapped around a handler, applied once when the configuration is loaded. */
export type Middleware = (next: Handler) => Handler

/** Wraps `handler` in the steps, the first one outermost. */
export function compose(steps: readonly Middleware[], handler: Handler): Handler {
  return steps.reduceRight((next, step) => step(next), handler)
}

/** Applies `edit` to the reply now or once it is available, without creating a promise where there is none. */
export function afterwards(reply: Reply | Promise<Reply>, edit: (reply: Reply) => Reply): Reply | Promise<Reply> {
  return reply instanceof Promise ? reply.then(edit) : edit(reply)
}

/**
 * Wraps `next` so that `edit` changes every reply in place, including the problem document for anything thrown further
 * in. A reply whose edit throws is discarded, and a problem document takes its place. `state` carries what was
 * determined before `next` is called through to `edit`. No promise is created where the reply is there
 * already, or where no other step has used the service's promise yet.
 */
export function editReplies<State = void>(
  next: Handler,
  edit: ReplyEdit<State>,
): (exchange: Exchange, state: State) => Reply | Promise<Reply> {
  function edited(reply: Reply, exchange: Exchange, state: State): Reply {
    try {
      edit(reply, exchange, state)
    } catch (thrown) {
      discardReply(reply)
      throw thrown
    }
    return reply
  }
  return (exchange, state) => {
    let reply: Reply | Promise<Reply>
    try {
      reply = next(exchange)
    } catch (thrown) {
      reply = errorReply(thrown, exchange)
    }
    if (!(reply instanceof Promise)) return edited(reply, exchange, state)
    const { pending } = exchange
    if (pending?.promise === reply) {
      pending.leave(edit, state)
      return reply
    }
    return reply.then(
      (replied) => edited(replied, exchange, state),
      (thrown: unknown) => edited(errorReply(thrown, exchange), exchange, state),
    )
  }
}
