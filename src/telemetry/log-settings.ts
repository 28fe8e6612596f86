import type { LogLevel } from '../core/logger.ts'
import { logLevels } from '../core/logger.ts'
import { type TopicHandlers, defineTopic } from '../core/threads.ts'
import type { LogFormat, LogOutput } from './logger.ts'

/** Sets the log level of a thread, unless the request is null; the answer is the thread's level. */
export const logLevelTopic = defineTopic<LogLevel | null, LogLevel>('log-level')

/** Sets the log format of a thread. */
export const logFormatTopic = defineTopic<LogFormat, null>('log-format')

/** The lowest level that is written; the highest one if logging is off. */
export function levelOf({ log }: LogOutput): LogLevel {
  return logLevels.find((level) => log.isLevelEnabled(level)) ?? 'error'
}

/** Lets other threads get and set the level of this thread's log, and set its format. */
export function answerLogSettings(answers: TopicHandlers, output: LogOutput): void {
  answers.on(logLevelTopic, (level) => {
    if (level !== null) output.setLevel(level)
    return levelOf(output)
  })
  answers.on(logFormatTopic, (format) => {
    output.setFormat(format)
    return null
  })
}
