import type { AdminContext } from '../context.ts'
import { AdminToken } from './admin-token.ts'
import { ClientPlaces } from './clients.ts'
import { ProviderLogins } from './oidc/provider-logins.ts'
import { Sessions } from './sessions.ts'
import { ConfiguredUsers } from './users.ts'

/** Shared by the login endpoints and the check of each request. */
export interface LoginTools {
  readonly sessions: Sessions
  readonly users: ConfiguredUsers
  readonly token: AdminToken
  readonly provider: ProviderLogins
  readonly places: ClientPlaces
}

/** Creates them for one admin listener. */
export function createLoginTools({ config, networks, clock, log, threads }: AdminContext): LoginTools {
  return {
    sessions: new Sessions(config, clock),
    users: new ConfiguredUsers(config),
    token: new AdminToken(config),
    provider: new ProviderLogins(config, { clock, log, threads }),
    places: new ClientPlaces(config, networks),
  }
}

/** Whether the configuration has a way to log in: users, a provider, or a token. */
export function hasLogins({ users, provider, token }: LoginTools): boolean {
  return users.current !== null || provider.options !== null || token.isSet
}
