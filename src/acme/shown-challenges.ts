import type { Clock } from '../core/clock.ts'
import type { Challenge, Solver } from './challenge.ts'
import { pauseUntil } from './pause.ts'
import type { Records } from './records.ts'

/** Lifetime of a challenge that is not withdrawn, in milliseconds. */
const SHOWN = 15 * 60_000

export interface ShowOptions {
  readonly type: 'http-01' | 'tls-alpn-01'
  readonly records: Records
  readonly clock: Clock
  readonly ending: AbortSignal
  /** Resolves when the threads of this process have the current challenges of the store. */
  readonly refresh: () => Promise<void>
  /** How long it takes until all other gateways that use the store have them too, in milliseconds. */
  readonly settle: number
}

/** Answers challenges on the listeners of all gateways that share the store. */
export function showChallenges({ type, records, clock, ending, refresh, settle }: ShowOptions): Solver {
  return {
    type,
    async present(challenges: readonly Challenge[]) {
      const withdraw = async (): Promise<void> => {
        // Challenges that cannot be withdrawn expire.
        await Promise.allSettled(challenges.map((each) => records.store.withdraw(each)))
        await refresh()
      }
      try {
        for (const each of challenges) await records.present(each, SHOWN)
        await refresh()
        await pauseUntil(settle, clock, ending)
      } catch (error) {
        await withdraw()
        throw error
      }
      return withdraw
    },
  }
}
