import { fstatSync, openSync } from 'node:fs'
import { isatty } from 'node:tty'
import { pino } from 'pino'
import { prettyFactory } from 'pino-pretty'
import type { Clock } from '../core/clock.ts'
import type { Logger, LogLevel } from '../core/logger.ts'
import { defineTopic } from '../core/threads.ts'
import { LinePieces } from './line-pieces.ts'
import { createTimestamp } from './timestamp.ts'

/** Where log lines go: through `log`, or through `write` as a whole line that is JSON already and ends in "\n". */
export interface LogOutput {
  readonly log: Logger
  readonly write: (line: string) => void
  /** Lines of lower levels are written no more from now on, and those of this and higher ones are. */
  readonly setLevel: (level: LogLevel) => void
  /** Opens the file anew, as when it was renamed to make room; nothing for other destinations. */
  readonly reopen: () => void
  /** Resolves when everything is written out, or cannot be; what comes later is dropped. Never rejects. */
  readonly close: () => Promise<void>
}

export interface LoggerOptions {
  readonly level: LogLevel
  /** 'auto' is pretty on a terminal and JSON elsewhere. */
  readonly format: 'auto' | 'json' | 'pretty'
  readonly clock: Clock
  /** File descriptor, closed in the end unless it is the standard output, which is the default. */
  readonly destination?: number
  /** File that lines are appended to, in place of a descriptor. */
  readonly file?: string | undefined
}

/** What could steer a terminal: control characters but for tab, line feed, and those that begin a color. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const STEERING = /\x1b(?!\[\d{0,3}m)|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f]/g

type Writer = ReturnType<typeof pino.destination>

/** The file of the log cannot be written. */
export class LogFileError extends Error {}

/** Asks all threads to open the file of the log anew. */
export const reopenLog = defineTopic<null, null>('reopen-log')

/** What a pipe takes in one piece on Linux (PIPE_BUF), in bytes: lines of several threads do not mix. */
const PIPE_PIECE = 4096
/** What is handed to a file at once, in bytes: appending takes whole what is written in one piece, however long. */
const FILE_PIECE = 32 * 1024
/** How long a line waits for others to be written with it, in milliseconds. */
const FLUSH_INTERVAL = 100
/** How much is kept for a reader that does not keep up, in bytes; further lines are dropped. */
const BUFFER_SIZE = 16 * 1024 * 1024

/**
 * The log of this thread: JSON lines that begin with level and timestamp and end with message, written asynchronously.
 * Throws LogFileError.
 */
export function createLogger({ level, format, clock, file: path, ...options }: LoggerOptions): LogOutput {
  const destination = path === undefined ? (options.destination ?? 1) : openFile(path)
  const terminal = isatty(destination)
  const pretty =
    format === 'pretty' || (format === 'auto' && terminal)
      ? prettyFactory({ messageKey: 'message', timestampKey: 'timestamp', singleLine: true, colorize: terminal })
      : null
  let dropped = 0
  let broken = false
  let ended = false
  /** Resolves when the files that came before are closed. */
  let retired = Promise.resolve()
  let closed: Promise<void> | null = null
  // Each write is a trip to another thread and back: many lines go with one.
  const size = isFile(destination) ? FILE_PIECE : PIPE_PIECE
  // oxlint-disable-next-line no-unsafe-type-assertion -- sonic-boom's types do not know what the content mode means
  const pieces = new LinePieces(size, (piece) => void file.write(piece as unknown as string))

  const write = (line: string): void => {
    // What others sent stands as it came in the stack of an error.
    if (!ended) pieces.add(pretty === null ? line : pretty(line).replace(STEERING, '\ufffd'))
  }
  const log = createLineLogger(level, clock, write)
  let file = openWriter(destination)
  const stopFlushing = clock.every(FLUSH_INTERVAL, () => pieces.flush())
  const flushOnExit = () => {
    // Nothing may be begun now that another thread would have to end.
    Object.assign(file, { sync: true })
    pieces.flush()
    file.flushSync()
  }
  process.once('exit', flushOnExit)

  return {
    log,
    write,
    setLevel: (next) => (log.level = next),
    reopen() {
      if (path === undefined || ended) return
      // A new writer, as one that changes its file while it writes may write lines twice.
      pieces.flush()
      const before = file
      try {
        file = openWriter(openFile(path))
      } catch (error) {
        return log.error({ error }, 'The log goes on in the old file')
      }
      retired = Promise.all([retired, finish(before)]).then(() => {})
    },
    close() {
      closed ??= new Promise((resolve) => {
        stopFlushing()
        process.off('exit', flushOnExit)
        if (broken) return resolve()
        pieces.flush()
        // Flushed first, as a count of dropped lines finds no room before.
        file.flush(() => {
          pieces.flush()
          ended = true
          void Promise.all([retired, finish(file)]).then(() => resolve())
        })
      })
      return closed
    },
  }

  function openWriter(descriptor: number): Writer {
    const writer = pino.destination({
      dest: descriptor,
      sync: false,
      contentMode: 'buffer',
      // Writes each piece at once; with 0, a flush would not wait for what is being written.
      minLength: 1,
      maxWrite: size,
      maxLength: BUFFER_SIZE,
    })
    writer.on('drop', (piece: Buffer) => (dropped += piece.toString('latin1').split('\n').length - 1))
    writer.on('drain', () => {
      if (dropped === 0) return
      const lines = dropped
      dropped = 0
      log.warn({ lines }, 'Log lines were dropped: whatever reads the log does not keep up')
    })
    // A log that cannot be written is no reason to stop serving.
    writer.on('error', (error: NodeJS.ErrnoException) => {
      broken ||= error.code === 'EPIPE'
      // Would try for ever when the process exits.
      writer.flushSync = () => {}
    })
    return writer
  }
}

/** Writes out what a writer has, and closes it. */
function finish(writer: Writer): Promise<void> {
  return new Promise((resolve) => {
    writer.once('close', resolve)
    writer.once('error', () => resolve())
    writer.end()
  })
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
    return openSync(path, 'a')
  } catch (error) {
    throw new LogFileError(`log.file: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

/** A logger whose level can be changed while it runs. */
export interface LineLogger extends Logger {
  level: string
}

/** A logger that hands each line to `write` as JSON ending in "\n". */
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
