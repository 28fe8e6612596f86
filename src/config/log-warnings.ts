import type { Logger } from '../core/logger.ts'
import type { Warning } from './warnings.ts'

/** Logs the warnings about a configuration. */
export function logWarnings(warnings: readonly Warning[], log: Logger): void {
  for (const { file, position, path, message } of warnings) {
    const place = position === undefined ? {} : { file, line: position.line }
    log.warn({ ...place, path, problem: message }, 'Check the configuration')
  }
}
