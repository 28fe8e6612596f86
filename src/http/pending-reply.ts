import type { AwaitedReply, Exchange, ReplyEdit } from './exchange.ts'
import { errorReply } from './problem.ts'
import { discardReply, type Reply } from './reply.ts'

interface Applicable {
  apply(reply: Reply, exchange: Exchange): void
}

/** An edit with its state. */
class PendingEdit<State> implements Applicable {
  private readonly edit: ReplyEdit<State>
  private readonly state: State

  constructor(edit: ReplyEdit<State>, state: State) {
    this.edit = edit
    this.state = state
  }

  apply(reply: Reply, exchange: Exchange): void {
    this.edit(reply, exchange, this.state)
  }
}

/**
 * A reply that a service was asked for. While it is to come, policies may leave their edits here: a promise for each of
 * them, which they would need otherwise, costs more than most edits do.
 */
export class PendingReply implements AwaitedReply {
  readonly promise: Promise<Reply>
  private readonly exchange: Exchange
  private edits: Applicable[] | null = null
  private resolve!: (reply: Reply) => void
  private reject!: (error: unknown) => void

  /** Is the exchange's from now on, until it is settled. */
  constructor(exchange: Exchange) {
    this.exchange = exchange
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    exchange.pending = this
  }

  leave<State>(edit: ReplyEdit<State>, state: State): void {
    this.edits ??= []
    this.edits.push(new PendingEdit(edit, state))
  }

  /** The reply is here. */
  settle(reply: Reply): void {
    this.end()
    if (this.edits === null) this.resolve(reply)
    else this.apply(this.edits, reply, null)
  }

  /** There will be none: what is edited then is the problem document. */
  fail(error: unknown): void {
    this.end()
    if (this.edits === null) this.reject(error)
    else this.apply(this.edits, null, error)
  }

  private end(): void {
    if (this.exchange.pending === this) this.exchange.pending = null
  }

  /** An edit that throws leaves a problem to the next one, as if each had a promise of its own. */
  private apply(edits: readonly Applicable[], reply: Reply | null, error: unknown): void {
    const { exchange } = this
    let current = reply
    let thrown = error
    for (const edit of edits) {
      try {
        current ??= errorReply(thrown, exchange)
        edit.apply(current, exchange)
      } catch (next) {
        if (current !== null) discardReply(current)
        current = null
        thrown = next
      }
    }
    if (current === null) this.reject(thrown)
    else this.resolve(current)
  }
}
