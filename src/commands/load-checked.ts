import { loadWhole } from '../config/load.ts'
import type { GatewayConfig } from '../config/schema.ts'
import { PolicyError } from '../front/compiler.ts'
import { tryPolicies } from '../front/try-policies.ts'
import type { Policy } from '../policies/policy.ts'
import { CommandError } from './command.ts'

/** A configuration that a gateway could start with, and its policies. */
export interface Checked {
  readonly config: GatewayConfig
  readonly chain: readonly Policy[]
  /** As in `Loaded`. */
  readonly text: string | null
}

/** Loads a configuration, and tries what could keep a gateway from starting with it. Throws ConfigError and CommandError. */
export async function loadChecked(file: string): Promise<Checked> {
  const { config, chain, text } = await loadWhole(file, process.env)
  try {
    await tryPolicies(config, chain)
  } catch (error) {
    if (error instanceof PolicyError) throw new CommandError(error.message, { cause: error })
    throw error
  }
  return { config, chain, text }
}
