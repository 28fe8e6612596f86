import { messageOf } from '../core/error-facts.ts'
import { dirname, resolve } from 'node:path'
import type { Pem } from '../tls/pem-schema.ts'
import { readPem } from '../tls/read-pem.ts'
import type { Finding } from './issues.ts'
import { ANY, matching, optionPaths } from './option-paths.ts'
import type { Path } from './problems.ts'
import type { ReadFiles } from './read-files.ts'
import type { UncheckedConfig } from './unchecked-config.ts'
import { at, putAll } from '../core/value.ts'

/** Where the configuration may name files with certificates or a key, apart from the options of policies. */
const PLACES: readonly Path[] = [
  ['services', ANY, 'tls', 'ca'],
  ['services', ANY, 'tls', 'cert'],
  ['services', ANY, 'tls', 'key'],
  ['admin', 'oidc', 'ca'],
  ['stores', 'redis', 'tls', 'ca'],
  ['stores', 'redis', 'tls', 'cert'],
  ['stores', 'redis', 'tls', 'key'],
  ['listeners', ANY, 'tls', 'acme', 'directory', 'ca'],
  ['listeners', ANY, 'tls', 'acme', 'directory', ANY, 'ca'],
]

/**
 * Replaces the paths of certificates and keys, which are relative to `base`, the configuration file, by the contents of the files. Inline
 * PEM stays.
 */
export function readPemFiles(files: UncheckedConfig, base: string, noted: ReadFiles): UncheckedConfig {
  const { value, chain } = files
  const held: (readonly [Path, Pem])[] = []
  const findings: Finding[] = []
  const ofPolicies = optionPaths(chain, ({ certificates = [] }) => certificates)
  for (const path of [...PLACES, ...ofPolicies].flatMap((place) => matching(value, place))) {
    const named = path.reduce<unknown>(at, value)
    if (typeof named !== 'string' || named === '' || named.includes('-----BEGIN ')) continue
    const file = resolve(dirname(base), named)
    noted.note(file)
    try {
      held.push([path, { text: readPem(file, path.at(-1) === 'key'), file }])
    } catch (error) {
      const message = `${JSON.stringify(named)}: ${messageOf(error)}`
      findings.push({ path, isKey: false, message })
    }
  }
  return { ...files, value: putAll(value, held), findings: [...files.findings, ...findings] }
}
