import { dirname, resolve } from 'node:path'
import { isFields, itemsOf } from './value.ts'

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
