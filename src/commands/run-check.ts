import { describeRoutes } from '../config/describe.ts'
import { hintsOf } from '../config/hints/index.ts'
import type { Loaded } from '../config/load.ts'
import {
  ConfigError,
  formatPath,
  formatProblem,
  type Problem,
  problemMember,
  sortProblems,
  stepsOf,
} from '../config/problems.ts'
import { type Source, valueSource } from '../config/source.ts'
import { warningsOf } from '../config/warnings.ts'
import { CommandError } from './command.ts'
import { exitCodes } from './exit-codes.ts'
import { keyHints } from './key-hints.ts'
import { loadChecked } from './load-checked.ts'

/** Prints the routing table, and warnings to the standard error. Rejects with ConfigError and CommandError, if `strict` for warnings too. */
export async function check(file: string, strict: boolean): Promise<void> {
  const checked = await loadChecked(file)
  const warnings = await warningsAt(file, checked)
  for (const warning of warnings) console.error(formatProblem({ ...warning, path: `warning: ${warning.path}` }))
  if (strict && warnings.length > 0) throw new CommandError(`${countOf(warnings)}, which --strict refuses.`)
  console.log(describeRoutes(checked.config, checked.chain))
}

/** The same as JSON, on the standard output whatever is found; resolves with the exit code. */
export async function checkForPrograms(file: string, strict: boolean): Promise<number> {
  try {
    const warnings = await warningsAt(file, await loadChecked(file))
    printJson([], warnings)
    return strict && warnings.length > 0 ? exitCodes.failed : exitCodes.done
  } catch (error) {
    if (error instanceof ConfigError) printJson(error.problems, [])
    else if (error instanceof CommandError) printJson([{ file, path: '', message: error.message }], [])
    else throw error
    return exitCodes.failed
  }
}

/** All warnings, with their places, in file order. */
async function warningsAt(file: string, loaded: Loaded): Promise<readonly Problem[]> {
  const { config, chain, text } = loaded
  const found = [
    ...warningsOf(loaded).map(({ path, message }) => ({ path: stepsOf(path), message })),
    ...hintsOf(config, chain),
    ...keyHints(config),
  ]
  if (found.length === 0) return []
  const source = await sourceOf(file, text)
  return sortProblems(
    found.map(({ path, message }) => ({ file, position: source.locate(path), path: formatPath(path), message })),
  )
}

/** Knows places in the text; places in a module are unknown. */
async function sourceOf(file: string, text: string | null): Promise<Source> {
  if (text === null) return valueSource(file)
  const { readYaml } = await import('../config/yaml.ts')
  return readYaml(text, file, process.env).source
}

function printJson(problems: readonly Problem[], warnings: readonly Problem[]): void {
  console.log(JSON.stringify({ problems: problems.map(problemMember), warnings: warnings.map(problemMember) }, null, 2))
}

function countOf({ length }: readonly Problem[]): string {
  return length === 1 ? '1 warning' : `${length} warnings`
}
