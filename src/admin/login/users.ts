import type { GatewayConfig } from '../../config/schema.ts'
import { PasswordUsers } from '../../core/password-users.ts'
import type { LoggedIn } from './sessions.ts'

type AdminOptions = Exclude<GatewayConfig['admin'], false>
type AdminUser = AdminOptions['users'][number]

/** The users in the applied configuration, who log in with a password. */
export class ConfiguredUsers {
  private readonly config: () => GatewayConfig
  private known: { readonly admin: AdminOptions; readonly users: PasswordUsers<AdminUser> } | null = null

  constructor(config: () => GatewayConfig) {
    this.config = config
  }

  /** The users; null if there are none. */
  get current(): PasswordUsers<AdminUser> | null {
    const { admin } = this.config()
    if (admin === false || admin.users.length === 0) return null
    if (this.known?.admin !== admin) this.known = { admin, users: new PasswordUsers(admin.users) }
    return this.known.users
  }

  /** A user who has logged in, as long as the configuration has this user with this password and role. */
  loggedIn({ name, role, password }: AdminUser): LoggedIn {
    const isValid = (): boolean => {
      const now = this.current?.find(name) ?? null
      return now !== null && now.password === password && now.role === role
    }
    return { name, role, by: 'session', subject: null, isValid }
  }
}
