import { closeSync, existsSync, mkdirSync, openSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
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
 * Writes files into a folder, which is created if necessary: all of them, or none if one of them exists already or cannot be written;
 * `advice` says what to do about existing ones. Throws CommandError.
 */
export function writeNew(folder: string, files: readonly NewFile[], advice: string): void {
  const existing = files.map(({ path }) => join(folder, path)).filter((path) => existsSync(path))
  if (existing.length > 0)
    throw new CommandError(`These already exist: ${existing.join(', ')}. Nothing was written: ${advice}.`)
  /** How to take back what has been done, in order. */
  const undo: (() => void)[] = []
  for (const { path, text } of files) {
    const file = join(folder, path)
    try {
      write(file, text, undo)
    } catch (error) {
      for (const step of undo.toReversed()) attempt(step)
      throw new CommandError(`${file}: ${whyUnwritable(error)}. Nothing was written.`, { cause: error })
    }
  }
}

function write(file: string, text: string, undo: (() => void)[]): void {
  const folder = dirname(file)
  const highest = mkdirSync(folder, { recursive: true })
  if (highest !== undefined) undo.push(() => removeFolders(folder, highest))
  // Fails even if another process has created the file in the meantime.
  const descriptor = openSync(file, 'wx')
  undo.push(() => rmSync(file))
  try {
    writeFileSync(descriptor, text)
  } finally {
    closeSync(descriptor)
  }
}

/** Removes a folder and those above it up to the highest one, as long as they are empty. */
function removeFolders(lowest: string, highest: string): void {
  const last = resolve(highest)
  for (let folder = resolve(lowest); folder.length >= last.length; folder = dirname(folder)) rmdirSync(folder)
}

/** What cannot be taken back stays: the error that led to it matters more. */
function attempt(step: () => void): void {
  try {
    step()
  } catch {}
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
