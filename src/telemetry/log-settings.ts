import type { LogLevel } from '../core/logger.ts'
import { logLevels } from '../core/logger.ts'
import { type Answers, defineTopic } from '../core/threads.ts'
import type { LogFormat, LogOutput } from './logger.ts'

/** Sets what a thread logs from now on, unless null is asked; the answer is its level. */
export const logLevelTopic = defineTopic<LogLevel | null, LogLevel>('log-level')

/** Has a thread write its log in another format from now on. */
export const logFormatTopic = defineTopic<LogFormat, null>('log-format')

/** The lowest level that is written; the highest one where nothing is. */
export function levelOf({ log }: LogOutput): LogLevel {
  return logLevels.find((level) => log.isLevelEnabled(level)) ?? 'error'
}

/** Lets the threads ask for the level of this thread's log, set it, and set its format. */
export function answerLogSettings(answers: Answers, output: LogOutput): void {
  answers.on(logLevelTopic, (level) => {
    if (level !== null) output.setLevel(level)
    return levelOf(output)
  })
  answers.on(logFormatTopic, (format) => {
    output.setFormat(format)
    return null
  })
}
