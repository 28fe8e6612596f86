import { type InstanceOptions, type RunningInstance, startService } from '../support/service.ts'
import { authRoutes, introspectionRoute } from './auth.ts'
import { openUserDatabase, type UserDatabase } from './database.ts'
import { roleRoutes } from './roles.ts'
import { createSessions } from './sessions.ts'
import { userRoutes } from './users.ts'

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
  const { database = await openUserDatabase(), jwtSecret, now = Date.now, introspectionSecret } = options
  const sessions = createSessions(database, jwtSecret, now)
  const description = 'Users, their roles, and the tokens that they log in with.'
  return startService({ title: 'User service', description, verify: sessions.check }, options, (app) => {
    userRoutes(app, database)
    authRoutes(app, database, sessions)
    roleRoutes(app, database)
    app.register(async (scope) => introspectionRoute(scope, sessions, introspectionSecret))
  })
}
