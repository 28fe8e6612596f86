import type { AwaitedReply, Exchange, ReplyEdit } from './exchange.ts'
import { errorReply } from './problem.ts'
import { discardReply, type Reply } from './reply.ts'

/** An edit of any state in a list. */
interface Listed {
  /** The edit that was left after it; null for the last one. */
  next: Listed | null
  apply(reply: Reply, exchange: Exchange): void
}

/** An edit with its state, in a list that needs no array to grow. */
class PendingEdit<State> implements Listed {
  next: Listed | null = null
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
 * A reply that was requested from a service. While it is pending, policies may leave their edits here: otherwise each
 * edit would need a promise of its own, which costs more than most edits do.
 */
export class PendingReply implements AwaitedReply {
  readonly promise: Promise<Reply>
  private readonly exchange: Exchange
  private first: Listed | null = null
  private last: Listed | null = null
  private resolve!: (reply: Reply) => void
  private reject!: (error: unknown) => void

  /** Becomes the `pending` reply of the exchange until it is settled. */
  constructor(exchange: Exchange) {
    this.exchange = exchange
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    exchange.pending = this
  }

  leave<State>(edit: ReplyEdit<State>, state: State): void {
    const left = new PendingEdit(edit, state)
    if (this.last === null) this.first = left
    else this.last.next = left
    this.last = left
  }

  /** The reply has arrived. */
  settle(reply: Reply): void {
    this.end()
    if (this.first === null) this.resolve(reply)
    else this.apply(this.first, reply, null)
  }

  /** There will be no reply: the edits are applied to the problem document. */
  fail(error: unknown): void {
    this.end()
    if (this.first === null) this.reject(error)
    else this.apply(this.first, null, error)
  }

  private end(): void {
    if (this.exchange.pending === this) this.exchange.pending = null
  }

  /** An edit that throws leaves a problem document to the next one, as a chain of promises would. */
  private apply(first: Listed, reply: Reply | null, error: unknown): void {
    const { exchange } = this
    let current = reply
    let thrown = error
    for (let edit: Listed | null = first; edit !== null; edit = edit.next) {
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
