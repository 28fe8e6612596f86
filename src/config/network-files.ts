import { dirname, resolve } from 'node:path'
import { at, fieldOf, isFields, putAll } from '../core/value.ts'
import type { Policy } from '../policies/policy.ts'
import { NETWORK_FILES } from './file-paths.ts'
import { ANY, matching, optionPaths } from './option-paths.ts'
import type { Path } from './problems.ts'

/** Where a configuration with these policies names network files. */
export function networkFilePaths(chain: readonly Policy[]): readonly Path[] {
  const ofPolicies = optionPaths(chain, ({ networks = [] }) => networks.map((option) => [option, ANY, 'file']))
  return [NETWORK_FILES, ...ofPolicies]
}

/** Makes the paths of network files absolute; they are relative to `base`, the configuration file. */
export function withAbsoluteNetworkFiles(value: unknown, base: string, chain: readonly Policy[]): unknown {
  const places = networkFilePaths(chain).flatMap((place) => matching(value, place))
  const absolute = places.flatMap((path): (readonly [Path, string])[] => {
    const file = path.reduce<unknown>(at, value)
    return typeof file === 'string' && file !== '' ? [[path, resolve(dirname(base), file)]] : []
  })
  return putAll(value, absolute)
}

/** Makes the path of the folder for the last good configuration absolute; it is relative to `base`, the configuration file. */
export function withAbsoluteStateDir(value: unknown, base: string): unknown {
  if (!isFields(value)) return value
  const { reload } = value
  const folder = fieldOf(reload, 'stateDir')
  if (!isFields(reload) || typeof folder !== 'string' || folder === '') return value
  return { ...value, reload: { ...reload, stateDir: resolve(dirname(base), folder) } }
}
