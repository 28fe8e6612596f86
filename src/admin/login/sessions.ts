import { hash, randomBytes } from 'node:crypto'
import type { GatewayConfig } from '../../config/schema.ts'
import type { Clock } from '../../core/clock.ts'
import { PasswordUsers } from '../../core/password-users.ts'

/** Sessions at a time, in all and of one user: those that were used least recently make room. */
const MOST = 1000
const MOST_OF_USER = 20
/** How long a session may go unused, in milliseconds. */
const IDLE = 2 * 3_600_000
/** Octets of the name of a session, and how it looks in base64url. */
const LENGTH = 32
const NAME = /^[\w-]{43}$/

/** What the configuration says of the listener for operators. */
export type AdminOptions = Exclude<GatewayConfig['admin'], false>

/** A user of the configuration. */
export type AdminUser = AdminOptions['users'][number]

interface Session {
  readonly user: AdminUser
  readonly begun: number
  used: number
}

/**
 * Who is logged in. Of the secret names of sessions only digests are kept. A session ends when it was not used for two hours, as
 * `admin.loginLifetime` says, and when the configuration has no such user any more, or one with another password or role.
 */
export class Sessions {
  private readonly config: () => GatewayConfig
  private readonly clock: Pick<Clock, 'now'>
  /** By their digests, those that were used last at the end. */
  private readonly sessions = new Map<string, Session>()
  private known: { readonly admin: AdminOptions; readonly users: PasswordUsers<AdminUser> } | null = null

  constructor(config: () => GatewayConfig, clock: Pick<Clock, 'now'>) {
    this.config = config
    this.clock = clock
  }

  /** Those of the configuration that is applied, or null where it has none. */
  get users(): PasswordUsers<AdminUser> | null {
    const { admin } = this.config()
    if (admin === false || admin.users.length === 0) return null
    if (this.known?.admin !== admin) this.known = { admin, users: new PasswordUsers(admin.users) }
    return this.known.users
  }

  /** Begins one, and gives its secret name. */
  begin(user: AdminUser): string {
    for (const [key, session] of this.sessions) if (!this.holds(session)) this.sessions.delete(key)
    const own = [...this.sessions]
      .filter(
        ([
          ,
          {
            user: { name },
          },
        ]) => name === user.name,
      )
      .map(([key]) => key)
    for (const key of own.slice(0, Math.max(0, own.length - MOST_OF_USER + 1))) this.sessions.delete(key)
    for (const key of this.sessions.keys()) {
      if (this.sessions.size < MOST) break
      this.sessions.delete(key)
    }
    const name = randomBytes(LENGTH).toString('base64url')
    const now = this.clock.now()
    this.sessions.set(keyOf(name), { user, begun: now, used: now })
    return name
  }

  /** The user of the session, which is used by that; null for none, and for one that has ended. */
  use(name: string): AdminUser | null {
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
    const current = this.users?.find(user.name) ?? null
    return current !== null && current.password === user.password && current.role === user.role
  }
}

function keyOf(name: string): string {
  return hash('sha256', name, 'base64url')
}
