import type { Path, Position } from './problems.ts'

/** Where a configuration came from: gives its problems their places and shows values as they were written. */
export interface Source {
  readonly file: string | undefined
  /** The place of a value, or of the nearest map or list around it. */
  locate(path: Path): Position | undefined
  /** The place of the key that is the last step of the path, or of what is around it. */
  locateKey(path: Path): Position | undefined
  /** The text of a scalar before variables were put in; undefined where there were none. */
  written(path: Path): string | undefined
  /** The path with the names that keys have in the file, which may be older ones. */
  asWritten(path: Path): Path
}

/** A configuration that came as a value, from a file of code or none. */
export function valueSource(file?: string): Source {
  return {
    file,
    locate: () => undefined,
    locateKey: () => undefined,
    written: () => undefined,
    asWritten: (path) => path,
  }
}
