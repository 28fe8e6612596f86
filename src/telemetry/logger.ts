import { constants, fstatSync, openSync } from 'node:fs'
import { isatty } from 'node:tty'
import { pino } from 'pino'
import type { Clock } from '../core/clock.ts'
import { messageOf } from '../core/error-facts.ts'
import type { Logger, LogLevel } from '../core/logger.ts'
import { defineTopic } from '../core/threads.ts'
import { createFileWriter, FILE_PIECE } from './file-writer.ts'
import { LinePieces } from './line-pieces.ts'
import { paintFor } from './paint.ts'
import { PIPE_PIECE, PipeWriter } from './pipe-writer.ts'
import { textLine } from './text-lines.ts'
import { createTimestamp } from './timestamp.ts'
import type { Writer } from './writer.ts'

/** A destination of log lines: through `log`, or through `write` as a complete line of JSON that ends in "\n". */
export interface LogOutput {
  readonly log: Logger
  readonly write: (line: string) => void
  /** From now on, only lines of this level and higher ones are written. */
  readonly setLevel: (level: LogLevel) => void
  /** From now on, lines are written in this format. */
  readonly setFormat: (format: LogFormat) => void
  /** Whether lines are written for people; then they may include what would be too costly otherwise. */
  readonly isForPeople: () => boolean
  /** Reopens the file, e.g. after log rotation has renamed it; does nothing for other destinations. */
  readonly reopen: () => void
  /** Calls `watcher` with the number of lost lines whenever some are lost. */
  readonly watchLost: (watcher: (lines: number) => void) => void
  /** Resolves when everything is written, or when the reader does not accept it; later lines are dropped. Never rejects. */
  readonly close: () => Promise<void>
}

/** The format of lines; 'auto' is pretty on a terminal and JSON elsewhere. */
export type LogFormat = 'auto' | 'json' | 'pretty'

export interface LoggerOptions {
  readonly level: LogLevel
  readonly format: LogFormat
  readonly clock: Clock
  /** File descriptor; closed at the end unless it is the standard output, which is the default. */
  readonly destination?: number
  /** File that lines are appended to, instead of a descriptor. */
  readonly file?: string | undefined
}

/** The log file cannot be written. */
export class LogFileError extends Error {}

/** Asks all threads to reopen the log file. */
export const reopenLog = defineTopic<null, null>('reopen-log')

/** How long a line may be held back to be written together with others, in milliseconds. */
const FLUSH_INTERVAL = 100

/**
 * The log of this thread: JSON lines that begin with level and timestamp and end with the message, written asynchronously. Throws
 * LogFileError.
 */
export function createLogger({ level, format, clock, file: path, ...options }: LoggerOptions): LogOutput {
  const destination = path === undefined ? (options.destination ?? 1) : openFile(path)
  const terminal = isatty(destination)
  const paint = paintFor(destination, process.env)
  let forPeople = isForPeople(format, terminal)
  let unsaid = 0
  let ended = false
  const watchers: ((lines: number) => void)[] = []
  const events = {
    lost(lines: number) {
      unsaid += lines
      for (const watcher of watchers) watcher(lines)
    },
    drained() {
      if (unsaid === 0 || ended) return
      const lines = unsaid
      unsaid = 0
      log.warn({ lines }, 'Log lines were dropped: the reader of the log is too slow')
    },
  }
  /** Resolves when the previous files are closed. */
  let retired = Promise.resolve()
  let closed: Promise<void> | null = null
  // Each write has a cost, so many lines are written together.
  const pieces = new LinePieces(isFile(destination) ? FILE_PIECE : PIPE_PIECE, (piece) => file.write(piece))

  const write = (line: string): void => {
    if (ended) return
    pieces.add(forPeople ? textLine(line, paint) : line)
    // On a terminal, the lines of all threads appear in chronological order.
    if (terminal) pieces.flush()
  }
  const log = createLineLogger(level, clock, write)
  let file = openWriter(destination)
  const stopFlushing = clock.every(FLUSH_INTERVAL, () => pieces.flush())
  const flushOnExit = () => {
    pieces.flush()
    file.flushSync()
  }
  process.once('exit', flushOnExit)

  return {
    log,
    write,
    setLevel: (next) => (log.level = next),
    setFormat: (next) => (forPeople = isForPeople(next, terminal)),
    isForPeople: () => forPeople,
    reopen() {
      if (path === undefined || ended) return
      // Uses a new writer, because one that switches files during a write may write lines twice.
      pieces.flush()
      const before = file
      try {
        file = openWriter(openFile(path))
      } catch (error) {
        return log.error({ error }, 'Logging continues in the old file')
      }
      retired = Promise.all([retired, before.end()]).then(() => {})
    },
    watchLost(watcher) {
      watchers.push(watcher)
    },
    close() {
      closed ??= end()
      return closed
    },
  }

  async function end(): Promise<void> {
    stopFlushing()
    process.off('exit', flushOnExit)
    pieces.flush()
    await file.flush()
    // Only now is there room to report the number of lost lines.
    events.drained()
    pieces.flush()
    ended = true
    await Promise.all([retired, file.end()])
  }

  function openWriter(descriptor: number): Writer {
    return isFile(descriptor) ? createFileWriter(descriptor, events) : new PipeWriter(descriptor, clock, events)
  }
}

function isForPeople(format: LogFormat, terminal: boolean): boolean {
  return format === 'pretty' || (format === 'auto' && terminal)
}

function isFile(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isFile()
  } catch {
    return false
  }
}

function openFile(path: string): number {
  try {
    // A pipe without a reader causes an error instead of blocking.
    return openSync(
      path,
      constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | (constants.O_NONBLOCK ?? 0),
      0o666,
    )
  } catch (error) {
    throw new LogFileError(`log.file: ${messageOf(error)}`, { cause: error })
  }
}

/** A logger whose level can be changed while it runs. */
export interface LineLogger extends Logger {
  level: string
}

/** A logger that passes each line to `write` as JSON ending in "\n". */
export function createLineLogger(level: LogLevel, clock: Clock, write: (line: string) => void): LineLogger {
  const timestamp = createTimestamp(clock)
  return pino(
    {
      level,
      base: null,
      messageKey: 'message',
      errorKey: 'error',
      serializers: { error: pino.stdSerializers.err },
      formatters: { level: (label) => ({ level: label }) },
      timestamp: () => `,"timestamp":"${timestamp()}"`,
    },
    { write },
  )
}
