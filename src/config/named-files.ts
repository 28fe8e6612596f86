import { resolve } from 'node:path'
import { readText } from '../core/read-text.ts'
import type { ReadFiles } from './read-files.ts'
import type { ReadFile } from './substitute.ts'

/** Maximum size in bytes of a file whose text is inserted into the configuration. */
const MAX = 64 * 1024

/** Reads, and records, the files that a configuration in `folder` takes texts from. Throws FileError. */
export function readNamedFiles(folder: string, files: ReadFiles): ReadFile {
  return (path) => {
    const file = resolve(folder, path)
    files.note(file)
    return readText(file, MAX)
  }
}
