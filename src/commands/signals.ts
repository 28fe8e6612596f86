import type { Logger } from '../core/logger.ts'

/** Signals that end the gateway once what is in flight has ended. */
const STOPPING = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP'] as const

/** One of the signals that end the gateway. */
export type StopSignal = (typeof STOPPING)[number]

/**
 * Resolves with the first signal that ends the gateway. The next SIGTERM, SIGINT or SIGQUIT ends the process at once. A
 * further SIGHUP does not: service managers and terminals send it along with another one.
 */
export function stopSignal(): Promise<StopSignal> {
  const { promise, resolve } = Promise.withResolvers<StopSignal>()
  const stop = (signal: StopSignal): void => {
    for (const each of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) process.off(each, stop)
    // By default it would leave all memory in a file, with the secrets in it.
    process.on('SIGQUIT', () => process.kill(process.pid, 'SIGTERM'))
    resolve(signal)
  }
  for (const each of STOPPING) process.on(each, stop)
  return promise
}

/** SIGUSR1 would open Node's inspector, which runs whatever it is told to by whoever connects to its port. */
export function refuseInspector(log: Logger): void {
  process.removeAllListeners('SIGUSR1')
  process.on('SIGUSR1', () => {
    log.warn({}, 'SIGUSR1 is ignored: it opens no inspector. To have one, start with NODE_OPTIONS=--inspect')
  })
}
