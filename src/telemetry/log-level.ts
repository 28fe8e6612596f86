import type { LogLevel } from '../core/logger.ts'
import { logLevels } from '../core/logger.ts'
import { type Answers, defineTopic } from '../core/threads.ts'
import type { LogOutput } from './logger.ts'

/** Sets what a thread logs from now on, unless null is asked; the answer is its level. */
export const logLevelTopic = defineTopic<LogLevel | null, LogLevel>('log-level')

/** The lowest level that is written; the highest one where nothing is. */
export function levelOf({ log }: LogOutput): LogLevel {
  return logLevels.find((level) => log.isLevelEnabled(level)) ?? 'error'
}

/** Lets the threads ask for the level of this thread's log, and set it. */
export function answerLogLevel(answers: Answers, output: LogOutput): void {
  answers.on(logLevelTopic, (level) => {
    if (level !== null) output.setLevel(level)
    return levelOf(output)
  })
}
