import { loadWhole } from '../config/load.ts'
import { ConfigError } from '../config/problems.ts'
import { loadedCode } from '../config/fresh-modules.ts'
import { NO_CODE } from '../config/loaded-code.ts'
import { ReadFiles } from '../config/read-files.ts'
import { sideOf } from '../config/plan/side.ts'
import { revisionOf } from '../config/revision.ts'
import { type Warning, warningsOf } from '../config/warnings.ts'
import { messageOf } from '../core/error-facts.ts'
import { tryPolicies } from '../front/try-policies.ts'
import type { Reading, ReadRequest } from './read-config.ts'

const TOO_MUCH: Warning = {
  path: 'ownPolicies',
  message:
    'custom policies and what they import are too large to keep (over 16 MiB): a worker that replaces another one loads them as they are then',
}

/** Reads a configuration file, creates its policies, which are discarded, and compares it if that was asked. */
export async function tryConfiguration({ file, instead, against }: ReadRequest): Promise<Reading> {
  const noted = new ReadFiles()
  try {
    const loaded = await loadWhole(file, process.env, noted, instead)
    const { config, chain, text } = loaded
    let unusable: string | null = null
    try {
      await tryPolicies(config, chain)
    } catch (error) {
      unusable = messageOf(error)
    }
    const side = await sideOf(file, loaded)
    if (against !== null) {
      if (unusable !== null) throw new ConfigError([{ file, path: '', message: unusable }])
      const { comparison } = await import('./comparison.ts')
      return { type: 'compared', plan: await comparison(file, against, side) }
    }
    const revision = revisionOf(config, noted.beside)
    const { code } = side
    // Workers must load exactly the code that was tried, whenever they start.
    const modules = loadedCode(code.map((each) => each.file))
    const warnings = warningsOf(loaded)
    if (modules === null) warnings.push(TOO_MUCH)
    const { all: files } = noted
    return { type: 'read', code, modules: modules ?? NO_CODE, config, warnings, unusable, revision, files, text }
  } catch (error) {
    if (error instanceof ConfigError) return { type: 'refused', problems: error.problems, files: noted.all }
    throw error
  }
}
