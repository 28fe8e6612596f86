import type { Logger } from '../core/logger.ts'
import { runningPolicy } from '../policies/guard.ts'

/**
 * Keeps the thread alive when a policy of the user's own leaves a rejected promise behind, or throws in a callback that
 * it has set up itself: such an error stands between no two steps of the gateway's own, and is logged with the name of
 * the policy. Any other one that nobody has caught ends the thread, as it does without policies of the user's own.
 */
export function survivePolicies(log: Logger): void {
  process.on('uncaughtException', (error) => {
    const running = runningPolicy()
    if (running === null) {
      log.error({ error }, 'An uncaught error ends the worker')
      process.exit(1)
    }
    log.error({ ...running, error }, 'A policy has left an error unhandled')
  })
}
