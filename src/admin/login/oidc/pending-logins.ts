import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { BoundedMap } from '../../../core/bounded-map.ts'
import type { Clock } from '../../../core/clock.ts'

/** How long somebody may take to log in at the provider, in milliseconds. */
export const TIMEOUT = 10 * 60_000
/** Logins that have begun and not ended, at most about: those that began first make room. */
const MAX = 1000

/** A login that has begun. */
export interface PendingLogin {
  readonly nonce: string
  readonly verifier: string
  /** Where the provider sends the browser back to. */
  readonly redirectUri: string
  /** The page of the console that comes then. */
  readonly target: string
  /** Which provider it is, as which client. */
  readonly provider: string
}

interface Kept extends PendingLogin {
  /** SHA-256 of what binds it to the browser. */
  readonly browser: Buffer
  readonly begun: number
}

/** Logins at the provider that have begun. Each can be ended once, by the browser that has begun it, within ten minutes. */
export class PendingLogins {
  private readonly clock: Pick<Clock, 'now'>
  private readonly pending = new BoundedMap<string, Kept>(MAX)

  constructor(clock: Pick<Clock, 'now'>) {
    this.clock = clock
  }

  /** Keeps one by its `state`. */
  begin(state: string, browser: string, login: PendingLogin): void {
    this.pending.set(state, { ...login, browser: digestOf(browser), begun: this.clock.now() })
  }

  /** The login of that state, which is over with that; null for none, for one of another browser, and for one that is too old. */
  end(state: string, browser: string): PendingLogin | null {
    const kept = this.pending.get(state)
    this.pending.delete(state)
    if (kept === undefined || this.clock.now() - kept.begun >= TIMEOUT) return null
    return timingSafeEqual(kept.browser, digestOf(browser)) ? kept : null
  }
}

/** Random text of base64url, of 256 bits. */
export function randomText(): string {
  return randomBytes(32).toString('base64url')
}

function digestOf(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}
