import { isatty } from 'node:tty'
import { isMainThread } from 'node:worker_threads'
import { pino } from 'pino'
import { prettyFactory } from 'pino-pretty'
import type { Clock } from '../core/clock.ts'
import type { Logger, LogLevel } from '../core/logger.ts'
import { createTimestamp } from './timestamp.ts'

/** Where log lines go: through `log`, or through `write` as a whole line that is JSON already and ends in "\n". */
export interface LogOutput {
  readonly log: Logger
  readonly write: (line: string) => void
  /** Lines of lower levels are written no more from now on, and those of this and higher ones are. */
  readonly setLevel: (level: LogLevel) => void
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
}

/** What a pipe takes in one piece on Linux (PIPE_BUF), in bytes: lines of several threads do not mix. */
const WRITE_SIZE = 4096
/** How long a line waits for others to be written with it, in milliseconds. */
const FLUSH_INTERVAL = 100
/** How much is kept for a reader that does not keep up, in bytes; further lines are dropped. */
const BUFFER_SIZE = 16 * 1024 * 1024

/** The log of this thread: JSON lines that begin with level and timestamp and end with message, written asynchronously. */
export function createLogger({ level, format, clock, destination = 1 }: LoggerOptions): LogOutput {
  const file = pino.destination({
    dest: destination,
    sync: false,
    minLength: WRITE_SIZE - 1,
    maxWrite: WRITE_SIZE,
    maxLength: BUFFER_SIZE,
  })
  const terminal = isatty(destination)
  const pretty =
    format === 'pretty' || (format === 'auto' && terminal)
      ? prettyFactory({ messageKey: 'message', timestampKey: 'timestamp', singleLine: true, colorize: terminal })
      : null
  let waiting = false
  let dropped = 0
  let broken = false
  let ended = false
  let closed: Promise<void> | null = null

  const write = (line: string): void => {
    if (ended) return
    waiting = true
    file.write(pretty === null ? line : pretty(line))
  }
  const log = createLineLogger(level, clock, write)

  file.on('drop', () => dropped++)
  file.on('drain', () => {
    if (dropped === 0) return
    const lines = dropped
    dropped = 0
    log.warn({ lines }, 'Log lines were dropped: whatever reads the log does not keep up')
  })
  // A log that cannot be written is no reason to stop serving.
  file.on('error', (error: NodeJS.ErrnoException) => {
    broken ||= error.code === 'EPIPE'
    // Would try for ever when the process exits.
    file.flushSync = () => {}
  })
  const stopFlushing = clock.every(FLUSH_INTERVAL, () => {
    if (!waiting) return
    waiting = false
    file.flush()
  })
  // pino sees to it in the main thread only.
  const flushOnExit = () => file.flushSync()
  if (!isMainThread) process.once('exit', flushOnExit)

  return {
    log,
    write,
    setLevel: (next) => (log.level = next),
    close() {
      closed ??= new Promise((resolve) => {
        stopFlushing()
        process.off('exit', flushOnExit)
        if (broken) return resolve()
        // Flushed first, as a count of dropped lines finds no room before.
        file.flush(() => {
          ended = true
          file.once('close', resolve)
          file.once('error', () => resolve())
          file.end()
        })
      })
      return closed
    },
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
