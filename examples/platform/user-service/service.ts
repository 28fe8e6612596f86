import { listen } from '../support/server.ts'
import type { InstanceOptions, RunningInstance } from '../support/server.ts'
import { authEndpoints } from './auth.ts'
import { openUserDatabase } from './database.ts'
import type { UserDatabase } from './database.ts'
import { roleEndpoints } from './roles.ts'
import { createSessions } from './sessions.ts'
import { userEndpoints } from './users.ts'

/** What an instance of the user service needs. */
export interface UserServiceOptions extends InstanceOptions {
  /** What introspection asks of the client `gateway` with Basic credentials; anyone may introspect without it. */
  readonly introspectionSecret?: string
  /** Share one between the instances; an own one with the seed data when it is missing. */
  readonly database?: UserDatabase
  /** Milliseconds since 1970; the system's clock when it is missing. */
  readonly now?: () => number
}

/** Starts an instance of the user service: users, auth and roles. */
export async function createUserService(options: UserServiceOptions): Promise<RunningInstance> {
  const database = options.database ?? (await openUserDatabase())
  const sessions = createSessions(database, options.jwtSecret, options.now ?? Date.now)
  return listen(
    {
      title: 'User service',
      description: 'Users, their roles, and the tokens that they log in with.',
      endpoints: [
        ...userEndpoints(database),
        ...authEndpoints(database, sessions, options.introspectionSecret),
        ...roleEndpoints(database),
      ],
      identify: sessions.identify,
    },
    options,
  )
}
