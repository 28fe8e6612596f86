import type { Clock } from '../../core/clock.ts'
import type { Exchange } from '../../http/exchange.ts'
import type { Reply } from '../../http/reply.ts'
import type { HealthBoard } from '../health/board.ts'
import type { Instance } from '../instance.ts'

/** How clients come back to the instance that has answered them before. */
export interface Sticky<I extends Instance> {
  /**
   * The instance that the request has to go to; null where it is bound to none that can be used. What the gateway has added to
   * the request's fields is taken out.
   */
  bound(exchange: Exchange): I | null
  /** Has the client come back to the instance whose reply that is. */
  bind(exchange: Exchange, instance: I, reply: Reply): void
}

/** What it is made with. */
export interface StickyTools {
  readonly board: HealthBoard
  readonly clock: Clock
  /** The first one is for what is given out, each of them for what comes back. */
  readonly keys: readonly Uint8Array[]
}
