import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { type Environment, substitute } from './substitute.ts'

/** The key with its value, quoted or not, in a line that is not a comment; in YAML or JSON. */
const KEY = /^[^#\n]*?\bstateDir["']?[ \t]*:[ \t]*(?:"([^"\n]+)"|'([^'\n]+)'|([^\s,}#"'][^,}#\n]*))/m

/**
 * The folder that a configuration file names as `reload.stateDir`, as far as that can be found in a file that is invalid; null if it
 * cannot.
 */
export function writtenStateDir(file: string, environment: Environment): string | null {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return null
  }
  const [, double, single, plain = ''] = KEY.exec(text) ?? []
  const written = (double ?? single ?? plain).trim()
  if (written === '' || written === 'null' || written === '~') return null
  const { text: folder, problems } = substitute(written, environment, () => '')
  return folder === '' || problems.length > 0 ? null : resolve(dirname(file), folder)
}
