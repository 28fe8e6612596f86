import { dirname, resolve } from 'node:path'
import type { Policy } from '../../policies/policy.ts'
import { loadableChain } from '../load-policies.ts'
import { codeOf } from '../code-digest.ts'
import { importDefault } from '../import-module.ts'
import type { LoadedCode } from '../loaded-code.ts'
import type { GatewayConfig } from '../schema.ts'
import type { Warning } from '../warnings.ts'
import { fieldOf } from '../../core/value.ts'

/** A file with a custom policy, as of when its configuration was loaded. */
export interface OwnCode {
  /** The absolute path, as in the loaded configuration. */
  readonly file: string
  /** Name of the policy in the file. */
  readonly policy: string
  /** Digest of the file's contents. */
  readonly digest: string
}

/** A configuration that was loaded from a file. */
type LoadedFile = Pick<Side, 'config' | 'chain' | 'renamed'>

/** A configuration to compare, with the state of its files. */
export interface Side {
  readonly config: GatewayConfig
  readonly chain: readonly Policy[]
  /** The folder that paths in the configuration are relative to. */
  readonly folder: string
  readonly code: readonly OwnCode[]
  /** Keys that are written under an old name. */
  readonly renamed: readonly Warning[]
}

/** The comparable form of a configuration that was loaded from a file. */
export async function sideOf(file: string, { config, chain, renamed }: LoadedFile): Promise<Side> {
  const code: OwnCode[] = []
  for (const { file: path, name } of config.ownPolicies) {
    const policy = name ?? String(fieldOf(await importDefault(path), 'name'))
    code.push({ file: path, policy, digest: codeOf(path).digest })
  }
  return { config, chain, folder: dirname(resolve(file)), code, renamed }
}

/** A configuration that another thread has loaded, with the code its policies were loaded from. */
interface LoadedBefore extends Pick<Side, 'config' | 'code'> {
  readonly modules: LoadedCode
}

/**
 * The comparable form of a configuration that was loaded earlier. Code that was too much to keep is read in its current version, apart from
 * its digest; policies that can no longer be loaded are left out.
 */
export async function sideInForce(file: string, { config, code, modules }: LoadedBefore): Promise<Side> {
  const digests = new Map(code.map(({ policy, digest }) => [policy, digest]))
  const asItWas = (policy: Policy): Policy => {
    const version = digests.get(policy.name)
    return version === undefined ? policy : { ...policy, version }
  }
  const chain = (await loadableChain(config.ownPolicies, modules)).map(asItWas)
  return { config, chain, folder: dirname(resolve(file)), code, renamed: [] }
}
