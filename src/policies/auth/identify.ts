import type { Consumer, Exchange } from '../../http/exchange.ts'

/** The proof that a route asks for. */
export interface ProofOptions {
  readonly methods: object
  readonly require: {
    readonly roles: readonly string[]
    readonly scopes: readonly string[]
    readonly allow: readonly string[]
  }
}

/** The caller according to the options of the policy: null for an unknown caller. */
export type Identify = (exchange: Exchange, options: ProofOptions) => Consumer | null

/** Whether the caller identified last has what is required. */
export type Allows = (options: ProofOptions) => boolean
