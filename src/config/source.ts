import type { Path, SourcePosition } from './problems.ts'

/** The origin of a configuration: gives the places of problems and shows values as they were written. */
export interface Source {
  readonly file: string | undefined
  /** The place of a value, or of the innermost map or list that contains it. */
  locate(path: Path): SourcePosition | undefined
  /** The place of the key that is the last step of the path, or of what contains it. */
  locateKey(path: Path): SourcePosition | undefined
  /** The text of a scalar before variables were substituted; undefined if it had none. */
  written(path: Path): string | undefined
  /** The path with the key names used in the file, which may be old ones. */
  asWritten(path: Path): Path
}

/** The source of a configuration that is a value, from a code file or from none. */
export function valueSource(file?: string): Source {
  return {
    file,
    locate: () => undefined,
    locateKey: () => undefined,
    written: () => undefined,
    asWritten: (path) => path,
  }
}
