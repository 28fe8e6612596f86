import type { Clock } from '../core/clock.ts'
import { AcmeError } from './acme-error.ts'

/** Resolves after `ms` milliseconds; rejects with the reason of `ending` as soon as that is aborted. */
export function pauseUntil(ms: number, clock: Clock, ending: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      cancel()
      const reason: unknown = ending.reason
      reject(reason instanceof Error ? reason : new AcmeError('it was aborted'))
    }
    const cancel = clock.after(ms, () => {
      ending.removeEventListener('abort', stop)
      resolve()
    })
    if (ending.aborted) return stop()
    ending.addEventListener('abort', stop, { once: true })
  })
}
