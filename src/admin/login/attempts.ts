import type { Clock } from '../../core/clock.ts'
import { BoundedMap } from '../../core/bounded-map.ts'
import { clientNetwork } from '../../core/client-network.ts'
import { GatewayError } from '../../core/errors.ts'

/** Maximum number of login attempts per minute, for each address and for each name. */
const MAX = 10
const WINDOW = 60_000
/** How many addresses, and how many names, are remembered. */
const REMEMBERED = 10_000

interface Count {
  readonly since: number
  attempts: number
}

/** Limits login attempts, whether they succeed or not. */
export class Attempts {
  private readonly clock: Pick<Clock, 'now'>
  private readonly addresses = new BoundedMap<string, Count>(REMEMBERED)
  private readonly names = new BoundedMap<string, Count>(REMEMBERED)

  constructor(clock: Pick<Clock, 'now'>) {
    this.clock = clock
  }

  /**
   * Counts an attempt; `name` is null if the attempt names no user. Throws GatewayError 'rate-limited' after too many attempts from the
   * address or for the name.
   */
  take(address: string, name: string | null): void {
    // Attempts refused because of the address do not count for the name, so that one client cannot lock a user out or fill the table of names.
    const ofAddress = this.count(this.addresses, clientNetwork(address))
    if (ofAddress.attempts >= MAX) throw this.refusal(ofAddress)
    ofAddress.attempts++
    if (name === null) return
    const ofName = this.count(this.names, name)
    if (ofName.attempts >= MAX) throw this.refusal(ofName)
    ofName.attempts++
  }

  private count(counts: BoundedMap<string, Count>, key: string): Count {
    const now = this.clock.now()
    const known = counts.get(key)
    if (known !== undefined && now - known.since < WINDOW) return known
    const fresh = { since: now, attempts: 0 }
    counts.set(key, fresh)
    return fresh
  }

  private refusal({ since }: Count): GatewayError {
    const seconds = Math.max(1, Math.ceil((since + WINDOW - this.clock.now()) / 1000))
    return new GatewayError('rate-limited', `Too many attempts to log in. Try again in ${seconds} s.`, {
      headers: [['Retry-After', String(seconds)]],
    })
  }
}
