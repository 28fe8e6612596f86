import { type Loaded, loadWhole } from '../config/load.ts'
import { PolicyError } from '../front/compiler.ts'
import { tryPolicies } from '../front/try-policies.ts'
import { CommandError } from './command.ts'

/** Loads a configuration and checks what could keep a gateway from starting with it. Throws ConfigError and CommandError. */
export async function loadChecked(file: string): Promise<Loaded> {
  const loaded = await loadWhole(file, process.env)
  try {
    await tryPolicies(loaded.config, loaded.chain)
  } catch (error) {
    if (error instanceof PolicyError) throw new CommandError(error.message, { cause: error })
    throw error
  }
  return loaded
}
