import { dirname, resolve } from 'node:path'
import { fieldOf, isFields, itemsOf } from '../core/value.ts'

/** Makes the paths of files with networks absolute, which are relative to `base`, the configuration file. */
export function withAbsoluteNetworkFiles(value: unknown, base: string): unknown {
  if (!isFields(value) || !Array.isArray(value['trustedProxies'])) return value
  const trustedProxies = itemsOf(value['trustedProxies']).map((entry) => {
    if (!isFields(entry)) return entry
    const file = entry['file']
    return typeof file === 'string' && file !== ''
      ? Object.assign({}, entry, { file: resolve(dirname(base), file) })
      : entry
  })
  return { ...value, trustedProxies }
}

/** Makes the path of the folder for the last good configuration absolute, which is relative to `base`, the configuration file. */
export function withAbsoluteStateDir(value: unknown, base: string): unknown {
  if (!isFields(value)) return value
  const { reload } = value
  const folder = fieldOf(reload, 'stateDir')
  if (!isFields(reload) || typeof folder !== 'string' || folder === '') return value
  return { ...value, reload: { ...reload, stateDir: resolve(dirname(base), folder) } }
}
