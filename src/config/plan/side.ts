import { dirname, resolve } from 'node:path'
import type { Policy } from '../../policies/policy.ts'
import { loadableChain } from '../policy-files.ts'
import { codeOf } from '../code-digest.ts'
import { importDefault } from '../import-module.ts'
import type { LoadedCode } from '../loaded-code.ts'
import type { GatewayConfig } from '../schema.ts'
import type { Warning } from '../warnings.ts'
import { fieldOf } from '../../core/value.ts'

/** A file with a policy of the user's own, as it was when its configuration was loaded. */
export interface OwnCode {
  /** The path as the configuration has it after loading. */
  readonly file: string
  /** Name of the policy in it. */
  readonly policy: string
  /** Digest of what it holds. */
  readonly digest: string
}

/** A configuration that was loaded from a file. */
type LoadedFile = Pick<Side, 'config' | 'chain' | 'renamed'>

/** A configuration that is compared, with what it has from files. */
export interface Side {
  readonly config: GatewayConfig
  readonly chain: readonly Policy[]
  /** The folder that paths in the configuration are relative to. */
  readonly folder: string
  readonly code: readonly OwnCode[]
  /** Where keys have a name that is no longer theirs. */
  readonly renamed: readonly Warning[]
}

/** What is compared of a configuration that was loaded from a file. */
export async function sideOf(file: string, { config, chain, renamed }: LoadedFile): Promise<Side> {
  const code: OwnCode[] = []
  for (const { file: path } of config.policyFiles)
    code.push({ file: path, policy: String(fieldOf(await importDefault(path), 'name')), digest: codeOf(path).digest })
  return { config, chain, folder: dirname(resolve(file)), code, renamed }
}

/** A configuration that was loaded by another thread, and what its policies were loaded from. */
interface LoadedBefore extends Pick<Side, 'config' | 'code'> {
  readonly modules: LoadedCode
}

/**
 * What is compared of a configuration that was loaded before. Code that was too much to be kept is as it is now, but for its digest;
 * what cannot be loaded any more is left out.
 */
export async function sideInForce(file: string, { config, code, modules }: LoadedBefore): Promise<Side> {
  const digests = new Map(code.map(({ policy, digest }) => [policy, digest]))
  const asItWas = (policy: Policy): Policy => {
    const version = digests.get(policy.name)
    return version === undefined ? policy : { ...policy, version }
  }
  const chain = (await loadableChain(config.policyFiles, modules)).map(asItWas)
  return { config, chain, folder: dirname(resolve(file)), code, renamed: [] }
}
