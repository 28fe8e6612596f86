import type { Toolbox } from '../../core/toolbox.ts'
import type { Exchange } from '../../http/exchange.ts'
import type { Instance } from '../instance.ts'
import type { OutcomeListener } from '../outcome.ts'
import type { Candidates } from './candidates.ts'

/** The parts of a request that balancers read. */
export type BalancedRequest = Pick<Exchange, 'client' | 'consumer' | 'headers' | 'query'>

/** The dependencies of balancers. */
export type BalancerTools = Pick<Toolbox, 'clock' | 'random'>

/** Picks the instance for each request to one service, in one worker. Can also listen to the outcomes of attempts. */
export interface Balancer<I extends Instance> extends Partial<OutcomeListener<I>> {
  /** Returns a usable instance that was not yet tried for this request, or null if there is none. The caller updates `inFlight`. */
  pick(request: BalancedRequest, tried: readonly I[] | null): I | null
}

/** A balancing algorithm: one file in balancers/ and one line in balancers/index.ts. */
export interface BalancerKind {
  /** One sentence for the reference documentation. */
  readonly summary: string
  /** Whether the choice of instance must not depend on the gateway's zone. By default it may. */
  readonly ignoresZones?: true
  /**
   * Creates the balancer of one service, when the configuration is loaded. Takes over the state of the previous balancer where possible.
   */
  create<I extends Instance>(candidates: Candidates<I>, tools: BalancerTools, previous: Balancer<I> | null): Balancer<I>
}
