/** Takes pieces of the log, each of whole lines, and writes them some time: nobody who logs waits for whoever reads it. */
export interface Writer {
  write(piece: Buffer): void
  /** Writes out what there is before it returns, as the process is about to end; gives up on a reader that takes nothing. */
  flushSync(): void
  /** Resolves when what there is has been written, or when nobody takes it: it waits for a bounded time. */
  flush(): Promise<void>
  /** Does the same and closes. */
  end(): Promise<void>
}

/** What a writer tells of itself. */
export interface WriterEvents {
  /** Lines were thrown away: too many wait, or nobody reads them any more. */
  readonly lost: (lines: number) => void
  /** Everything is written: there is room again. */
  readonly drained: () => void
}

/** How much is kept for a reader that does not keep up, in bytes; further lines are dropped. */
export const BUFFER_SIZE = 16 * 1024 * 1024

/** How many lines a piece has. */
export function linesOf(piece: Buffer): number {
  let lines = 0
  for (let at = piece.indexOf(10); at >= 0; at = piece.indexOf(10, at + 1)) lines++
  return lines
}
