import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { messageOf } from '../core/error-facts.ts'
import { CommandError } from './command.ts'

/** A file to write: its path, its contents, and a short description. */
export interface NewFile {
  readonly path: string
  readonly text: string
  readonly what: string
}

/**
 * Writes files into a folder, which is created if necessary: all of them, or none if one of them exists already; `advice` then says what to
 * do. Throws CommandError.
 */
export function writeNew(folder: string, files: readonly NewFile[], advice: string): void {
  const existing = files.map(({ path }) => join(folder, path)).filter((path) => existsSync(path))
  if (existing.length > 0)
    throw new CommandError(`These already exist: ${existing.join(', ')}. Nothing was written: ${advice}.`)
  try {
    for (const { path, text } of files) {
      const file = join(folder, path)
      mkdirSync(dirname(file), { recursive: true })
      // Fails even if another process has created the file in the meantime.
      writeFileSync(file, text, { flag: 'wx' })
    }
  } catch (error) {
    throw new CommandError(messageOf(error), { cause: error })
  }
}

/** One line for each file: its path and description. */
export function listOf(folder: string, files: readonly NewFile[]): string {
  const rows = files.map(({ path, what }) => [join(folder, path), what] as const)
  const width = Math.max(...rows.map(([path]) => path.length))
  return rows.map(([path, what]) => `${path.padEnd(width)}  ${what}`).join('\n')
}
