import type { Consumer } from '../../http/exchange.ts'

/** What proof is asked for. */
export interface ProofOptions {
  readonly methods: object
  readonly require: {
    readonly roles: readonly string[]
    readonly scopes: readonly string[]
    readonly allow: readonly string[]
  }
}

/** Says of the request that is under way who calls, and what they may, in place of what would have to be proved. */
export interface ToldCaller {
  /** Null for nobody. */
  identify(options: ProofOptions): Consumer | null
  /** Whether the caller has what is required, where something is. */
  allows(options: ProofOptions): boolean
}
