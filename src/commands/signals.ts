import { isatty } from 'node:tty'
import type { Logger } from '../core/logger.ts'

/** Signals that end the gateway once what is in flight has ended. */
const STOPPING = ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const

/** What ends the gateway: one of those, or that the terminal is gone in which it was started. */
export type StopSignal = (typeof STOPPING)[number] | 'SIGHUP'

/**
 * Resolves with the first signal that ends the gateway. The next SIGTERM, SIGINT or SIGQUIT ends the process at once.
 * SIGHUP calls `hangUp` instead, unless it says that the terminal is gone in which the gateway was started; service managers
 * and terminals send it along with others, so once the gateway is ending it does nothing.
 */
export function stopSignal(hangUp: () => void): Promise<StopSignal> {
  const { promise, resolve } = Promise.withResolvers<StopSignal>()
  const terminal = isatty(0)
  let stopping = false
  const stop = (signal: StopSignal): void => {
    stopping = true
    for (const each of STOPPING) process.off(each, stop)
    // By default it would leave all memory in a file, with the secrets in it.
    process.on('SIGQUIT', () => process.kill(process.pid, 'SIGTERM'))
    resolve(signal)
  }
  for (const each of STOPPING) process.on(each, stop)
  process.on('SIGHUP', () => {
    if (stopping) return
    if (terminal && !isatty(0)) stop('SIGHUP')
    else hangUp()
  })
  return promise
}

/**
 * Keeps SIGHUP from ending a process that has nobody yet to hear it, unless it was started in a terminal, which may be gone. The
 * returned function ends that, and says whether it came.
 */
export function holdHangUp(): () => boolean {
  let came = false
  const note = (): void => void (came = true)
  if (!isatty(0)) process.on('SIGHUP', note)
  return () => {
    process.off('SIGHUP', note)
    return came
  }
}

/** SIGUSR1 would open Node's inspector, which runs whatever it is told to by whoever connects to its port. */
export function refuseInspector(log: Logger): void {
  process.removeAllListeners('SIGUSR1')
  process.on('SIGUSR1', () => {
    log.warn({}, 'SIGUSR1 is ignored: it opens no inspector. To have one, start with NODE_OPTIONS=--inspect')
  })
}
