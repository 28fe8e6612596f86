import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { Verify } from '../support/access.ts'
import { type Claims, issuer, signToken, verifyToken } from '../support/jwt.ts'
import { insert } from '../support/table.ts'
import type { UserDatabase, UserRow } from './database.ts'

/** How long an access token is valid, in seconds. */
const tokenLifetime = 3600

const refreshLifetime = 30 * 24 * 3600

/** What a login hands out. */
export interface Session {
  readonly token: string
  readonly refreshToken: string
  readonly tokenType: 'Bearer'
  /** Seconds until the token expires. */
  readonly expiresIn: number
}

/** Issues, checks and revokes what users log in with. */
export interface Sessions {
  start(user: UserRow): Promise<Session>
  /** Replaces a refresh token, which works once; undefined when it is not valid. */
  renew(refreshToken: string): Promise<Session | undefined>
  /** The claims of an access token that is valid and not revoked, and whose user exists. */
  readonly check: Verify
  revoke(claims: Claims): void
}

/** Sessions in the given database, with tokens signed by the secret; `now` is in milliseconds since 1970. */
export function createSessions(database: UserDatabase, secret: string, now: () => number): Sessions {
  const after = (seconds: number): string => new Date(now() + seconds * 1000).toISOString()
  const userOf = (id: string): UserRow | undefined => database.users.first('id = :id', { id })

  const forgetExpired = (): void => {
    for (const table of ['sessions', 'revocations']) {
      database.sql.prepare(`DELETE FROM ${table} WHERE expiresAt <= :now`).run({ now: after(0) })
    }
  }

  const start = async (user: UserRow): Promise<Session> => {
    forgetExpired()
    const jti = randomUUID()
    const refreshToken = randomBytes(32).toString('base64url')
    const iat = Math.floor(now() / 1000)
    insert(database.sql, 'sessions', {
      refreshHash: hash(refreshToken),
      jti,
      userId: user.id,
      expiresAt: after(refreshLifetime),
    })
    const claims: Claims = {
      iss: issuer,
      sub: user.id,
      roles: user.roles.split(','),
      ...(user.tier !== null && { tier: user.tier }),
      jti,
      iat,
      exp: iat + tokenLifetime,
    }
    return { token: await signToken(claims, secret), refreshToken, tokenType: 'Bearer', expiresIn: tokenLifetime }
  }

  const check: Verify = async (token) => {
    const claims = await verifyToken(token, secret, new Date(now()))
    if (!claims || database.revocations.first('jti = :jti', { jti: claims.jti })) return undefined
    return userOf(claims.sub) && claims
  }

  return {
    start,
    check,
    async renew(refreshToken) {
      const session = database.sessions.first('refreshHash = :hash AND expiresAt > :now', {
        hash: hash(refreshToken),
        now: after(0),
      })
      const user = session && userOf(session.userId)
      if (!user) return undefined
      database.sql.prepare('DELETE FROM sessions WHERE refreshHash = :hash').run({ hash: session.refreshHash })
      return start(user)
    },
    revoke({ jti }) {
      database.sql.prepare('DELETE FROM sessions WHERE jti = :jti').run({ jti })
      insert(database.sql, 'revocations', { jti, expiresAt: after(tokenLifetime) })
    },
  }
}

function hash(refreshToken: string): string {
  return createHash('sha256').update(refreshToken).digest('base64url')
}
