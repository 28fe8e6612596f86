import type { Policy } from '../../policies/policy.ts'
import type { Path } from '../problems.ts'
import type { GatewayConfig } from '../schema.ts'

/** Something that works, and that is probably not meant so. */
export interface Hint {
  readonly path: Path
  /** What it is, and what to do. */
  readonly message: string
}

/** Looks at a configuration for one kind of hints. */
export type HintRule = (config: GatewayConfig, chain: readonly Policy[]) => readonly Hint[]
