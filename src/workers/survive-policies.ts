import type { Logger } from '../core/logger.ts'
import { runningPolicy } from '../policies/guard.ts'

/**
 * Keeps the thread alive when a custom policy causes an unhandled rejection, or throws in a callback of its own: such an error does not
 * affect the gateway's own state, and is logged with the name of the policy. Any other uncaught error ends the thread, as it does without
 * custom policies.
 */
export function survivePolicies(log: Logger): void {
  process.on('uncaughtException', (error) => {
    const running = runningPolicy()
    // Thrown again, it ends the thread, and the main thread reports it.
    if (running === null) throw error
    log.error({ ...running, error }, 'A policy has left an error unhandled')
  })
}
