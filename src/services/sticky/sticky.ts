import type { Clock } from '../../core/clock.ts'
import type { Exchange } from '../../http/exchange.ts'
import type { Reply } from '../../http/reply.ts'
import type { HealthBoard } from '../health/board.ts'
import type { Instance } from '../instance.ts'

/** Session affinity: how clients get back to the instance that served them before. */
export interface Sticky<I extends Instance> {
  /**
   * The instance that the request is bound to; null if there is none or it is unusable. Removes what the gateway has added to the request's
   * headers.
   */
  bound(exchange: Exchange): I | null
  /** Binds the client to the instance that sent the reply. */
  bind(exchange: Exchange, instance: I, reply: Reply): void
}

/** The dependencies of session affinity. */
export interface StickyTools {
  readonly board: HealthBoard
  readonly clock: Clock
  /** The first key is used to create marks, all of them to verify marks. */
  readonly keys: readonly Uint8Array[]
}
