import { dirname, resolve } from 'node:path'
import { readText } from '../core/read-text.ts'
import { readChain, readKey } from '../tls/key-pair.ts'
import { at, put } from './documents.ts'
import type { Finding } from './issues.ts'
import type { PolicyFiles } from './policy-files.ts'
import { ANY, matching, optionPlaces } from './option-places.ts'
import type { Path } from './problems.ts'

/** Octets of a file: the authorities that Node knows have a quarter of that. */
const LARGEST = 1024 ** 2

/** Where the configuration may name files with certificates or a key, but for the options of policies. */
const PLACES: readonly Path[] = [
  ['services', ANY, 'tls', 'ca'],
  ['services', ANY, 'tls', 'cert'],
  ['services', ANY, 'tls', 'key'],
  ['stores', 'redis', 'tls', 'ca'],
  ['stores', 'redis', 'tls', 'cert'],
  ['stores', 'redis', 'tls', 'key'],
]

/**
 * Puts the certificates and keys that files hold in place of their paths, which are relative to `base`, the configuration
 * file. PEM that stands in the configuration itself stays.
 */
export function readPemFiles(files: PolicyFiles, base: string): PolicyFiles {
  let { value } = files
  const { chain } = files
  const findings: Finding[] = []
  const ofPolicies = optionPlaces(chain, ({ certificates = [] }) => certificates)
  for (const path of [...PLACES, ...ofPolicies].flatMap((place) => matching(value, place))) {
    const named = path.reduce<unknown>((parent, step) => at(parent, step), value)
    if (typeof named !== 'string' || named === '' || named.includes('-----BEGIN ')) continue
    try {
      value = put(value, path, readPem(resolve(dirname(base), named), path.at(-1) === 'key'))
    } catch (error) {
      const message = `${JSON.stringify(named)}: ${error instanceof Error ? error.message : String(error)}`
      findings.push({ path, isKey: false, message })
    }
  }
  return { ...files, value, findings: [...files.findings, ...findings] }
}

/** The text of a file with certificates, or with a private key. Throws an Error that says why it is none, without its name. */
export function readPem(file: string, isKey: boolean): string {
  const text = readText(file, LARGEST)
  const { problem } = isKey ? readKey(text) : readChain(text)
  if (problem !== null) throw new Error(problem)
  return text
}
