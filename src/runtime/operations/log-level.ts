import { z } from 'zod'
import { type Logger, type LogLevel, logLevels } from '../../core/logger.ts'
import { defineOperation } from '../../core/operation.ts'
import type { Threads } from '../../core/threads.ts'
import { logLevelTopic } from '../../telemetry/log-settings.ts'

const level = z.strictObject({ level: z.enum(logLevels) })

/** Changes the log level. */
export const setLogLevel = defineOperation({ name: 'log-level', arguments: level, result: level })

/** Runs the operation in all threads of this gateway. */
export async function setLogLevelHere(
  { level: requested }: z.output<typeof level>,
  { threads, log }: { readonly threads: Threads; readonly log: Logger },
): Promise<z.output<typeof level>> {
  // Not logged as `level`, which is the level of the log line itself.
  log.warn({ log_level: requested }, 'An operator has changed the log level')
  return { level: lowestLevel(await threads.askAll(logLevelTopic, requested)) }
}

/** Threads that are just starting may still have the previous level. */
export function lowestLevel(levels: readonly LogLevel[]): LogLevel {
  return logLevels.find((each) => levels.includes(each)) ?? 'error'
}
