import type { Bytes } from '../http/body.ts'
import type { FileCoding } from './schema.ts'

/** A file, or the same in a coding, as it was when it was looked at last. */
export interface FoundFile {
  /** Where it is, without links. */
  readonly place: string
  readonly size: number
  /** Wall-clock milliseconds of its last change, in whole seconds. */
  readonly modified: number
  readonly etag: string
  /** What its replies have in any case, as field lines. */
  readonly fields: string
  readonly coding: FileCoding | null
  /** All that it holds, where that is little. */
  readonly content: Bytes | null
}

/** What a path leads to. */
export interface Found {
  readonly file: FoundFile
  /** The same file in codings, as far as there are any. */
  readonly coded: readonly FoundFile[]
}

/** A path that leads to a folder, and has to end in a slash for what its files refer to. */
export const FOLDER = 'folder'

/** Strong: of a file that changes without changing its size it tells milliseconds apart. */
export function etagOf({ size, mtimeMs }: { size: number; mtimeMs: number }, coding: FileCoding | null): string {
  return `"${Math.floor(mtimeMs).toString(16)}-${size.toString(16)}${coding === null ? '' : `-${coding}`}"`
}
