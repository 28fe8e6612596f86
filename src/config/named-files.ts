import { resolve } from 'node:path'
import { readText } from '../core/read-text.ts'
import type { ReadFiles } from './read-files.ts'
import type { ReadFile } from './substitute.ts'

/** What a file may hold that is put into the configuration, in octets. */
const MOST = 64 * 1024

/** Reads the files that a configuration in `folder` takes texts from, and notes them. Throws FileError. */
export function readNamedFiles(folder: string, files: ReadFiles): ReadFile {
  return (path) => {
    const file = resolve(folder, path)
    files.note(file)
    return readText(file, MOST)
  }
}
