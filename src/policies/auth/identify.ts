import type { Consumer, Exchange } from '../../http/exchange.ts'

/** Who calls, for options of the policy: null for nobody. */
export type Identify = (exchange: Exchange, options: ProofOptions) => Consumer | null

/** What proof is asked for. */
export interface ProofOptions {
  readonly methods: object
  readonly require: { readonly roles: readonly string[]; readonly scopes: readonly string[] }
}
