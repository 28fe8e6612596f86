import type { Policy } from '../../policies/policy.ts'
import type { Path } from '../problems.ts'
import type { GatewayConfig } from '../schema.ts'

/** Something that works but is probably not intended. */
export interface Hint {
  readonly path: Path
  /** What it is and what to do about it. */
  readonly message: string
}

/** Checks a configuration for one kind of hint. */
export type HintRule = (config: GatewayConfig, chain: readonly Policy[]) => readonly Hint[]
