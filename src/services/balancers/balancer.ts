import type { Toolbox } from '../../core/toolbox.ts'
import type { Exchange } from '../../http/exchange.ts'
import type { Instance } from '../instance.ts'
import type { OutcomeListener } from '../outcome.ts'
import type { Candidates } from './candidates.ts'

/** What balancers read of a request. */
export type BalancedRequest = Pick<Exchange, 'client' | 'consumer' | 'headers' | 'query'>

/** What balancers are made with. */
export type BalancerTools = Pick<Toolbox, 'clock' | 'random'>

/** Picks the instance of one service for each request, in one worker; hears how attempts end where it wants to. */
export interface Balancer<I extends Instance> extends Partial<OutcomeListener<I>> {
  /**
   * A usable instance that is not among those already tried for this request, or null where there is none.
   * The caller counts `inFlight`.
   */
  pick(request: BalancedRequest, tried: readonly I[] | null): I | null
}

/** A way to balance: one file in balancers/ and one line in balancers/index.ts. */
export interface BalancerKind {
  /** One sentence for the reference documentation. */
  readonly summary: string
  /** Which instance a request goes to must not depend on the zone of the gateway. Default it may. */
  readonly ignoresZones?: true
  /** Builds the balancer of one service, when the configuration loads. The one before hands on what it knows, where it can. */
  create<I extends Instance>(candidates: Candidates<I>, tools: BalancerTools, previous: Balancer<I> | null): Balancer<I>
}
