import type { Consumer, Exchange } from '../../http/exchange.ts'

/** What proof is asked for. */
export interface ProofOptions {
  readonly methods: object
  readonly require: {
    readonly roles: readonly string[]
    readonly scopes: readonly string[]
    readonly allow: readonly string[]
  }
}

/** Who calls, for options of the policy: null for nobody. */
export type Identify = (exchange: Exchange, options: ProofOptions) => Consumer | null

/** Whether whoever was identified last has what is required. */
export type Allows = (options: ProofOptions) => boolean
