import type { Redis } from 'ioredis'
import { ioredis } from './library.ts'

/** What a server replies to a password it does not need (before and since Redis 6), and to a user name before Redis 6. */
const NEEDLESS = /no password is set|without any password configured for the default user/
const NO_USERS = /wrong number of arguments for 'auth' command/

let quiet = false

/**
 * Silences the console warnings that ioredis (6.0.0) prints during authentication. A password that the server does not need is harmless,
 * and an unknown user name is handled like any other error. This patches the class, as Cluster connections are created internally.
 */
export function authenticateQuietly(): void {
  const { prototype } = ioredis().Redis
  const auth: unknown = Reflect.get(prototype, 'auth')
  if (quiet || typeof auth !== 'function') return
  quiet = true
  const authenticate = async function (this: Redis, ...credentials: readonly string[]): Promise<unknown> {
    try {
      const answer: unknown = await Reflect.apply(auth, this, credentials)
      return answer
    } catch (error) {
      if (!(error instanceof Error)) throw error
      if (NEEDLESS.test(error.message)) return 'OK'
      if (!NO_USERS.test(error.message)) throw error
      throw new Error('ERR the server is older than Redis 6 and knows no user names', { cause: error })
    }
  }
  Reflect.set(prototype, 'auth', authenticate)
}
