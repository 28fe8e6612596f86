import type { Bytes } from '../http/body.ts'
import type { FileCoding } from './schema.ts'

/** A file, or its encoded variant, as of the last check. */
export interface FoundFile {
  /** Its path, with links resolved. */
  readonly place: string
  readonly size: number
  /** Wall-clock time of its last change, in milliseconds rounded to whole seconds. */
  readonly modified: number
  readonly etag: string
  /** The headers that all its replies have, as field lines. */
  readonly fields: string
  readonly coding: FileCoding | null
  /** Its whole contents, if it is small. */
  readonly content: Bytes | null
}

/** What a path leads to. */
export interface Found {
  readonly file: FoundFile
  /** The file's encoded variants, if there are any. */
  readonly coded: readonly FoundFile[]
}

/** A path that leads to a folder; it has to end in a slash for the relative links of its files. */
export const FOLDER = 'folder'

/** A strong tag: changes of a file that keep its size are distinguished to the millisecond. */
export function etagOf({ size, mtimeMs }: { size: number; mtimeMs: number }, coding: FileCoding | null): string {
  return `"${Math.floor(mtimeMs).toString(16)}-${size.toString(16)}${coding === null ? '' : `-${coding}`}"`
}
