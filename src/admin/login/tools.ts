import type { AdminContext } from '../context.ts'
import { ClientPlaces } from './clients.ts'
import { ProviderLogins } from './oidc/provider-logins.ts'
import { Sessions } from './sessions.ts'
import { ConfiguredUsers } from './users.ts'

/** What the endpoints for logging in share with what looks at each request. */
export interface LoginTools {
  readonly sessions: Sessions
  readonly users: ConfiguredUsers
  readonly provider: ProviderLogins
  readonly places: ClientPlaces
}

/** Those of one listener. */
export function createLoginTools({ config, networks, clock, log }: AdminContext): LoginTools {
  return {
    sessions: new Sessions(config, clock),
    users: new ConfiguredUsers(config),
    provider: new ProviderLogins(config, { clock, log }),
    places: new ClientPlaces(config, networks),
  }
}

/** Whether the configuration lets people log in, with a password or at a provider. */
export function hasLogins({ users, provider }: LoginTools): boolean {
  return users.current !== null || provider.options !== null
}
