import { statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { messageOf } from '../core/error-facts.ts'
import { at, isFields, putAll } from '../core/value.ts'
import type { Finding } from './issues.ts'
import { ANY, matching } from './option-paths.ts'
import type { Path } from './problems.ts'
import type { UncheckedConfig } from './unchecked-config.ts'

/** Where the configuration names folders of files to serve. The shorter form has no other path in it. */
const FILES: Path = ['routes', ANY, 'files']

/** Makes the paths of folders absolute (they are relative to `base`, the configuration file) and checks that the folders exist. */
export function findFolders(files: UncheckedConfig, base: string): UncheckedConfig {
  const { value } = files
  const named: (readonly [Path, string])[] = []
  const findings: Finding[] = []
  for (const place of matching(value, FILES)) {
    const path = isFields(place.reduce<unknown>(at, value)) ? [...place, 'root'] : place
    const root = path.reduce<unknown>(at, value)
    if (typeof root !== 'string' || root === '') continue
    const folder = resolve(dirname(base), root)
    named.push([path, folder])
    const problem = problemOf(folder)
    if (problem !== null) findings.push({ path, isKey: false, message: `${JSON.stringify(root)}: ${problem}` })
  }
  return { ...files, value: putAll(value, named), findings: [...files.findings, ...findings] }
}

function problemOf(folder: string): string | null {
  try {
    const facts = statSync(folder, { throwIfNoEntry: false })
    if (facts === undefined) return 'no such folder; expected its path, relative to the configuration'
    return facts.isDirectory() ? null : 'a file; expected the folder that it is in'
  } catch (error) {
    return messageOf(error)
  }
}
