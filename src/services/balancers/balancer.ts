import type { Toolbox } from '../../core/toolbox.ts'
import type { Exchange } from '../../http/exchange.ts'
import type { Instance } from '../instance.ts'
import type { Candidates } from './candidates.ts'

/** What balancers read of a request. */
export type BalancedRequest = Pick<Exchange, 'client' | 'consumer' | 'headers' | 'query'>

/** What balancers are made with. */
export type BalancerTools = Pick<Toolbox, 'clock' | 'random'>

/** Picks the instance of one service for each request, in one worker. */
export interface Balancer<I extends Instance> {
  /**
   * A usable instance that is not among those already tried for this request, or null where there is none.
   * The caller counts `inFlight`.
   */
  pick(request: BalancedRequest, tried: readonly I[] | null): I | null
  /** There where it wants to know: the head of a reply came from the instance, or none will, after so many milliseconds. */
  answered?(instance: I, took: number, failed: boolean): void
  /** The same: the client has left before the instance replied, after so many milliseconds. */
  left?(instance: I, took: number): void
}

/** A way to balance: one file in balancers/ and one line in balancers/index.ts. */
export interface BalancerKind {
  /** One sentence for the reference documentation. */
  readonly summary: string
  /** Builds the balancer of one service, when the configuration loads. The one before hands on what it knows, where it can. */
  create<I extends Instance>(candidates: Candidates<I>, tools: BalancerTools, previous: Balancer<I> | null): Balancer<I>
}
