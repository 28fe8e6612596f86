import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { codeOf, messageOf } from '../core/error-facts.ts'
import { userName } from '../core/user-name.ts'
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
  for (const { path, text } of files) write(join(folder, path), text)
}

function write(file: string, text: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true })
    // Fails even if another process has created the file in the meantime.
    writeFileSync(file, text, { flag: 'wx' })
  } catch (error) {
    throw new CommandError(`${file}: ${whyUnwritable(error)}.`, { cause: error })
  }
}

function whyUnwritable(error: unknown): string {
  const code = codeOf(error)
  if (code === 'EACCES' || code === 'EPERM')
    return `cannot be written by the user ${userName()}: change the owner or mode of the folder`
  if (code === 'EEXIST' || code === 'ENOTDIR') return 'cannot be written: a part of its path is a file, not a folder'
  return `cannot be written: ${messageOf(error)}`
}

/** One line for each file: its path and description. */
export function listOf(folder: string, files: readonly NewFile[]): string {
  const rows = files.map(({ path, what }) => [join(folder, path), what] as const)
  const width = Math.max(...rows.map(([path]) => path.length))
  return rows.map(([path, what]) => `${path.padEnd(width)}  ${what}`).join('\n')
}
