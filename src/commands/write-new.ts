import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { messageOf } from '../core/error-facts.ts'
import { CommandError } from './command.ts'

/** A file that is to be: its path, what it holds, and in a few words what it is. */
export interface NewFile {
  readonly path: string
  readonly text: string
  readonly what: string
}

/**
 * Writes files into a folder, which is made where there is none: all of them, or none where one of them is there already, and
 * then `advice` says what to do. Throws CommandError.
 */
export function writeNew(folder: string, files: readonly NewFile[], advice: string): void {
  const taken = files.map(({ path }) => join(folder, path)).filter((path) => existsSync(path))
  if (taken.length > 0)
    throw new CommandError(`These exist already: ${taken.join(', ')}. Nothing was written: ${advice}.`)
  try {
    for (const { path, text } of files) {
      const file = join(folder, path)
      mkdirSync(dirname(file), { recursive: true })
      // Not even where somebody else has made it meanwhile.
      writeFileSync(file, text, { flag: 'wx' })
    }
  } catch (error) {
    throw new CommandError(messageOf(error), { cause: error })
  }
}

/** One line for each file: where it is and what it is. */
export function listOf(folder: string, files: readonly NewFile[]): string {
  const rows = files.map(({ path, what }) => [join(folder, path), what] as const)
  const width = Math.max(...rows.map(([path]) => path.length))
  return rows.map(([path, what]) => `${path.padEnd(width)}  ${what}`).join('\n')
}
