import type { OperatorProof } from '../core/operator-proof.ts'

/** Who asked for a change. */
export interface Asker {
  /** Name of the user; null for the token, for anyone on the machine, and if nobody asked. */
  readonly operator: string | null
  /** How the operator was identified; null if nobody asked. */
  readonly by: OperatorProof | null
}

/** The file has changed, or a signal has arrived. */
export const NOBODY: Asker = { operator: null, by: null }

export const ways = ['started', 'reloaded', 'sent', 'went_back', 'expired'] as const

/**
 * Why a configuration is in effect: the process has started, its file was reloaded, an operator has sent it or gone back to it, or the one
 * after it was not confirmed in time.
 */
export interface Origin extends Asker {
  readonly how: (typeof ways)[number]
}

/** Takes of the asker only what is shown. */
export function originOf(how: Origin['how'], { operator, by }: Asker = NOBODY): Origin {
  return { how, operator, by }
}
