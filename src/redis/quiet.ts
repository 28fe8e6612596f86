import type { Redis } from 'ioredis'
import { ioredis } from './library.ts'

/** What a server says of a password that it does not need (before and since Redis 6), and to a user name before Redis 6. */
const NEEDLESS = /no password is set|without any password configured for the default user/
const NO_USERS = /wrong number of arguments for 'auth' command/

let quiet = false

/**
 * Has all connections authenticate without a word on the console, where ioredis (6.0.0) warns of its own accord: a password
 * that the server does not need changes nothing, and a user name that it does not know is an error like any other. Done on
 * the class, as a Cluster makes connections that it shows to nobody.
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
