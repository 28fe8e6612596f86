import { hash, randomBytes } from 'node:crypto'
import type { GatewayConfig } from '../../config/schema.ts'
import type { Clock } from '../../core/clock.ts'
import type { OperatorRole } from '../../core/operator-role.ts'

/** Maximum number of sessions, in total and per user; the least recently used ones are dropped. */
const MAX = 1000
const MAX_PER_USER = 20
/** How long a session may be idle, in milliseconds. */
const IDLE = 2 * 3_600_000
/** Length of a session ID in bytes, and its form in base64url. */
const LENGTH = 32
const ID = /^[\w-]{43}$/

/** A user who has logged in. */
export interface LoggedIn {
  /** Null for the token. */
  readonly name: string | null
  readonly role: OperatorRole
  /** With a password of the configuration, at its OpenID provider, or with the token. */
  readonly by: 'session' | 'oidc' | 'token'
  /** The user's identifier at the provider; null for all others. */
  readonly subject: string | null
  /** Whether the configuration still grants what it granted at the login. */
  readonly isValid: () => boolean
}

interface Session {
  readonly user: LoggedIn
  readonly begun: number
  used: number
}

/**
 * The sessions of logged-in users. Only digests of session IDs are kept. A session ends after two idle hours, after `admin.loginLifetime`,
 * and when the configuration changes its user.
 */
export class Sessions {
  private readonly config: () => GatewayConfig
  private readonly clock: Pick<Clock, 'now'>
  /** By the digest of the ID, the most recently used last. */
  private readonly sessions = new Map<string, Session>()

  constructor(config: () => GatewayConfig, clock: Pick<Clock, 'now'>) {
    this.config = config
    this.clock = clock
  }

  /** Starts a session and returns its ID. */
  begin(user: LoggedIn): string {
    for (const [key, session] of this.sessions) if (!this.isCurrent(session)) this.sessions.delete(key)
    const own = Array.from(this.sessions).flatMap(([key, session]) => (isSame(session.user, user) ? [key] : []))
    for (const key of own.slice(0, Math.max(0, own.length - MAX_PER_USER + 1))) this.sessions.delete(key)
    for (const key of this.sessions.keys()) {
      if (this.sessions.size < MAX) break
      this.sessions.delete(key)
    }
    const id = randomBytes(LENGTH).toString('base64url')
    const now = this.clock.now()
    this.sessions.set(keyOf(id), { user, begun: now, used: now })
    return id
  }

  /** The user of the session, which counts as used; null if there is no such session or it has ended. */
  use(id: string): LoggedIn | null {
    if (!ID.test(id)) return null
    const key = keyOf(id)
    const session = this.sessions.get(key)
    if (session === undefined) return null
    this.sessions.delete(key)
    if (!this.isCurrent(session)) return null
    session.used = this.clock.now()
    this.sessions.set(key, session)
    return session.user
  }

  /** Whether there is such a session and it has not ended; does not count as use. */
  has(id: string): boolean {
    const session = this.sessions.get(keyOf(id))
    return session !== undefined && this.isCurrent(session)
  }

  /** Ends the session, if there is one. */
  end(id: string): void {
    this.sessions.delete(keyOf(id))
  }

  private isCurrent({ user, begun, used }: Session): boolean {
    const { admin } = this.config()
    const now = this.clock.now()
    if (admin === false || now - used >= IDLE || now - begun >= admin.loginLifetime) return false
    return user.isValid()
  }
}

/** A user of the configuration and one of the provider may have the same name. */
function isSame(a: LoggedIn, b: LoggedIn): boolean {
  return a.by === b.by && (a.subject ?? a.name) === (b.subject ?? b.name)
}

function keyOf(id: string): string {
  return hash('sha256', id, 'base64url')
}
