import type { Logger } from '../core/logger.ts'
import type { Warning } from './warnings.ts'

/** Puts what is worth a warning in a configuration into the log. */
export function logWarnings(warnings: readonly Warning[], log: Logger): void {
  for (const { path, message } of warnings) log.warn({ path, problem: message }, 'Check the configuration')
}
