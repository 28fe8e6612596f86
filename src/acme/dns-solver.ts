import { Resolver } from 'node:dns/promises'
import type { Clock } from '../core/clock.ts'
import { type Challenge, digestOf, type Solver } from './challenge.ts'
import { changeDns, type DnsChange, type DnsHook } from './dns-hook.ts'
import { pauseUntil } from './pause.ts'

export interface DnsSettings {
  readonly hook: DnsHook
  /** Maximum time to wait until the records are visible, in milliseconds; after that, the CA is asked anyway. */
  readonly propagation: number
  /** DNS servers to query, as IP:port; empty for the system's. */
  readonly resolvers: readonly string[]
}

/** Interval between checks, in milliseconds. */
const LOOK_AGAIN = 2000
/** Timeout per query, in milliseconds. */
const TIMEOUT = 2000

/** Answers dns-01 (RFC 8555 section 8.4) through a hook. */
export function solveByDns({ hook, propagation, resolvers }: DnsSettings, clock: Clock, ending: AbortSignal): Solver {
  const resolver = new Resolver({ timeout: TIMEOUT, tries: 1 })
  if (resolvers.length > 0) resolver.setServers([...resolvers])

  const isThere = async ({ name, value }: DnsChange): Promise<boolean> => {
    try {
      return (await resolver.resolveTxt(name)).some((parts) => parts.join('') === value)
    } catch {
      return false
    }
  }

  const waitFor = async (changes: readonly DnsChange[]): Promise<void> => {
    const end = clock.now() + propagation
    for (const change of changes)
      while (!(await isThere(change))) {
        if (clock.now() + LOOK_AGAIN > end) return
        await pauseUntil(LOOK_AGAIN, clock, ending)
      }
  }

  return {
    type: 'dns-01',
    async present(challenges) {
      const changes = challenges.map(changeFor)
      // Removes every record, including those that may be set only partially, even if others fail; leftovers do not bother the CA.
      const clear = async (): Promise<void> => {
        const signal = AbortSignal.timeout(TIMEOUT * 10)
        await Promise.allSettled(changes.map((change) => changeDns(hook, { ...change, action: 'clear' }, signal)))
      }
      try {
        for (const change of changes) await changeDns(hook, change, ending)
        await waitFor(changes)
      } catch (error) {
        await clear()
        throw error
      }
      return clear
    },
  }
}

function changeFor(challenge: Challenge): DnsChange {
  const { domain } = challenge
  const value = digestOf(challenge).toString('base64url')
  return { action: 'set', domain, name: `_acme-challenge.${domain}`, value }
}
