import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { BoundedMap } from '../../../core/bounded-map.ts'
import type { Clock } from '../../../core/clock.ts'

/** How long a login at the provider may take, in milliseconds. */
export const TIMEOUT = 10 * 60_000
/** About how many pending logins are kept; the oldest are dropped. */
const MAX = 1000

/** A login that was started. */
export interface PendingLogin {
  readonly nonce: string
  readonly verifier: string
  /** The redirect URI. */
  readonly redirectUri: string
  /** The page of the console to open afterwards. */
  readonly target: string
  /** Identifies the provider and the client. */
  readonly provider: string
}

interface Kept extends PendingLogin {
  /** SHA-256 of the browser ID that it is tied to. */
  readonly browser: Buffer
  readonly begun: number
}

/** Logins that were started at the provider. Each can be completed once, within ten minutes, by the browser that started it. */
export class PendingLogins {
  private readonly clock: Pick<Clock, 'now'>
  private readonly pending = new BoundedMap<string, Kept>(MAX)

  constructor(clock: Pick<Clock, 'now'>) {
    this.clock = clock
  }

  /** Keeps a login under its `state`. */
  begin(state: string, browser: string, login: PendingLogin): void {
    this.pending.set(state, { ...login, browser: digestOf(browser), begun: this.clock.now() })
  }

  /** Takes the login with that state; null if there is none, if another browser started it, or if it is too old. */
  end(state: string, browser: string): PendingLogin | null {
    const login = this.pending.get(state)
    this.pending.delete(state)
    if (login === undefined || this.clock.now() - login.begun >= TIMEOUT) return null
    return timingSafeEqual(login.browser, digestOf(browser)) ? login : null
  }
}

/** 256 random bits in base64url. */
export function randomText(): string {
  return randomBytes(32).toString('base64url')
}

function digestOf(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}
