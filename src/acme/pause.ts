import type { Clock } from '../core/clock.ts'
import { AcmeError } from './acme-error.ts'

/** Resolves after so many milliseconds; rejects with an AcmeError as soon as the gateway stops. */
export function pauseUntil(ms: number, clock: Clock, ending: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      cancel()
      reject(new AcmeError('the gateway stops'))
    }
    const cancel = clock.after(ms, () => {
      ending.removeEventListener('abort', stop)
      resolve()
    })
    if (ending.aborted) return stop()
    ending.addEventListener('abort', stop, { once: true })
  })
}
