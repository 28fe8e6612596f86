/** From most to least verbose; a logger writes messages of its own level and of those after it. */
export const logLevels = ['debug', 'info', 'warn', 'error'] as const

/** Severity of a log message. */
export type LogLevel = (typeof logLevels)[number]

/** The structured logging interface used by the gateway; pino satisfies it. Errors are passed under the key `error`. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  /** Whether messages of that level are written; lets callers avoid gathering details for nothing. */
  isLevelEnabled(level: LogLevel): boolean
}
