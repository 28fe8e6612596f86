/** Accepts pieces of the log, each of whole lines, and writes them later: logging never blocks on the reader. */
export interface Writer {
  write(piece: Buffer): void
  /** Writes everything synchronously because the process is about to exit; gives up if the reader accepts nothing. */
  flushSync(): void
  /** Resolves when everything has been written, or when nobody reads it: the wait is bounded. */
  flush(): Promise<void>
  /** Flushes and closes. */
  end(): Promise<void>
}

/** Notifications from a writer. */
export interface WriterEvents {
  /** Lines were dropped: too many are waiting, or nobody reads them any more. */
  readonly lost: (lines: number) => void
  /** Everything is written: there is room again. */
  readonly drained: () => void
}

/** The buffer size for a reader that does not keep up, in bytes; further lines are dropped. */
export const BUFFER_SIZE = 16 * 1024 * 1024

/** The number of lines in a piece. */
export function linesOf(piece: Buffer): number {
  let lines = 0
  for (let at = piece.indexOf(10); at >= 0; at = piece.indexOf(10, at + 1)) lines++
  return lines
}
