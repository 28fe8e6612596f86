import { hash, randomBytes } from 'node:crypto'
import type { GatewayConfig } from '../../config/schema.ts'
import type { Clock } from '../../core/clock.ts'
import type { OperatorRole } from '../../core/operator-role.ts'

/** Sessions at a time, in all and of one user: those that were used least recently make room. */
const MAX = 1000
const MAX_PER_USER = 20
/** How long a session may go unused, in milliseconds. */
const IDLE = 2 * 3_600_000
/** Bytes of the name of a session, and how it looks in base64url. */
const LENGTH = 32
const NAME = /^[\w-]{43}$/

/** Somebody who has logged in. */
export interface LoggedIn {
  readonly name: string
  readonly role: OperatorRole
  /** With a password of the configuration, or at its OpenID provider. */
  readonly by: 'session' | 'oidc'
  /** What the provider knows them by, whatever they call themselves; null for a user of the configuration. */
  readonly subject: string | null
  /** Whether the configuration says still what it said of them when they logged in. */
  readonly stands: () => boolean
}

interface Session {
  readonly user: LoggedIn
  readonly begun: number
  used: number
}

/**
 * Who is logged in. Of the secret names of sessions only digests are kept. A session ends when it was not used for two hours, as
 * `admin.loginLifetime` says, and when the configuration says something else of its user.
 */
export class Sessions {
  private readonly config: () => GatewayConfig
  private readonly clock: Pick<Clock, 'now'>
  /** By their digests, those that were used last at the end. */
  private readonly sessions = new Map<string, Session>()

  constructor(config: () => GatewayConfig, clock: Pick<Clock, 'now'>) {
    this.config = config
    this.clock = clock
  }

  /** Begins one, and gives its secret name. */
  begin(user: LoggedIn): string {
    for (const [key, session] of this.sessions) if (!this.holds(session)) this.sessions.delete(key)
    const own = Array.from(this.sessions).flatMap(([key, session]) => (isSame(session.user, user) ? [key] : []))
    for (const key of own.slice(0, Math.max(0, own.length - MAX_PER_USER + 1))) this.sessions.delete(key)
    for (const key of this.sessions.keys()) {
      if (this.sessions.size < MAX) break
      this.sessions.delete(key)
    }
    const name = randomBytes(LENGTH).toString('base64url')
    const now = this.clock.now()
    this.sessions.set(keyOf(name), { user, begun: now, used: now })
    return name
  }

  /** The user of the session, which is used by that; null for none, and for one that has ended. */
  use(name: string): LoggedIn | null {
    if (!NAME.test(name)) return null
    const key = keyOf(name)
    const session = this.sessions.get(key)
    if (session === undefined) return null
    this.sessions.delete(key)
    if (!this.holds(session)) return null
    session.used = this.clock.now()
    this.sessions.set(key, session)
    return session.user
  }

  /** Whether it has not ended; it is not used by that. */
  has(name: string): boolean {
    const session = this.sessions.get(keyOf(name))
    return session !== undefined && this.holds(session)
  }

  /** Ends it, if there is one. */
  end(name: string): void {
    this.sessions.delete(keyOf(name))
  }

  private holds({ user, begun, used }: Session): boolean {
    const { admin } = this.config()
    const now = this.clock.now()
    if (admin === false || now - used >= IDLE || now - begun >= admin.loginLifetime) return false
    return user.stands()
  }
}

/** Two people may have one name, one of the configuration and one at the provider. */
function isSame(a: LoggedIn, b: LoggedIn): boolean {
  return a.by === b.by && (a.subject ?? a.name) === (b.subject ?? b.name)
}

function keyOf(name: string): string {
  return hash('sha256', name, 'base64url')
}
