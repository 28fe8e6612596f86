import { isatty } from 'node:tty'
import type { Logger } from '../core/logger.ts'

/** Signals that stop the gateway once requests in flight have finished. */
const STOPPING = ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const

/** What stops the gateway: one of those signals, or the loss of the terminal in which it was started. */
export type StopSignal = (typeof STOPPING)[number] | 'SIGHUP'

/**
 * Resolves with the first signal that stops the gateway. The next SIGTERM, SIGINT or SIGQUIT ends the process immediately. SIGHUP calls
 * `hangUp` instead, unless it means that the terminal in which the gateway was started was closed; service managers and terminals send it
 * along with other signals, so it is ignored once the gateway is stopping.
 */
export function stopSignal(hangUp: () => void): Promise<StopSignal> {
  const { promise, resolve } = Promise.withResolvers<StopSignal>()
  const terminal = isatty(0)
  let stopping = false
  const stop = (signal: StopSignal): void => {
    stopping = true
    for (const each of STOPPING) process.off(each, stop)
    // By default, it would dump all memory to a core file, including secrets.
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
 * Keeps SIGHUP from ending a process before it has a handler, unless the process was started in a terminal, which may be gone. The returned
 * function stops that and says whether SIGHUP arrived.
 */
export function holdHangUp(): () => boolean {
  let received = false
  const note = (): void => void (received = true)
  if (!isatty(0)) process.on('SIGHUP', note)
  return () => {
    process.off('SIGHUP', note)
    return received
  }
}

/** SIGUSR1 would open Node's inspector, which runs any code for anyone who connects to its port. */
export function refuseInspector(log: Logger): void {
  process.removeAllListeners('SIGUSR1')
  process.on('SIGUSR1', () => {
    log.warn({}, 'SIGUSR1 is ignored: it opens no inspector. To have one, start with NODE_OPTIONS=--inspect')
  })
}
