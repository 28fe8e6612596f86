import { resolve } from 'node:path'
import { readText } from '../core/read-text.ts'
import type { ReadFile } from './substitute.ts'

/** What a file may hold that is put into the configuration, in octets. */
const MOST = 64 * 1024

/** Files that a configuration names, and which of them have been asked for. */
export interface NamedFiles {
  /** Reads a file, relative to the folder. Throws FileError. */
  readonly read: ReadFile
  readonly paths: ReadonlySet<string>
}

/** Reads the files that a configuration in `folder` takes texts from. */
export function readNamedFiles(folder: string): NamedFiles {
  const paths = new Set<string>()
  return {
    paths,
    read(path) {
      const file = resolve(folder, path)
      paths.add(file)
      return readText(file, MOST)
    },
  }
}
