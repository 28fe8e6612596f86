/** From the most to the least talkative; a logger writes its own level and those after it. */
export const logLevels = ['debug', 'info', 'warn', 'error'] as const

/** How much a line of the log matters. */
export type LogLevel = (typeof logLevels)[number]

/** Structured logging as the gateway uses it; pino fits. An Error goes under the key `error`. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  /** Whether lines of that level are written: what they would say need not be gathered otherwise. */
  isLevelEnabled(level: LogLevel): boolean
}
