import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { endpoint, endpointWithBody } from '../support/endpoint.ts'
import type { Endpoint } from '../support/endpoint.ts'
import { email, identifier } from '../support/fields.ts'
import { bearerToken } from '../support/identity.ts'
import { issuer } from '../support/jwt.ts'
import { Problem, notFound, unauthorized } from '../support/problem.ts'
import { choice, flag, integer, list, object, text } from '../support/schema.ts'
import type { UserDatabase } from './database.ts'
import { verifyPassword } from './passwords.ts'
import { tokenLifetime } from './sessions.ts'
import type { Sessions } from './sessions.ts'
import { register, registration, toUser, userSchema } from './users.ts'

const token = text('eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.signature', { maxLength: 8192 })
const refreshToken = text('Zm9yIGRvY3VtZW50YXRpb24gb25seQ')

const credentials = object('Credentials', {
  email: { ...email, example: 'alice@example.com' },
  password: text('wonderland', { maxLength: 128, format: 'password' }),
})

const sessionSchema = object('Session', {
  token,
  refreshToken,
  tokenType: choice('Bearer'),
  expiresIn: integer(tokenLifetime),
})

const introspectionQuestion = object('IntrospectionQuestion', { token }, { token_type_hint: text('access_token') })

const introspection = object(
  'Introspection',
  { active: flag(true) },
  {
    iss: text(issuer),
    sub: identifier('user-alice'),
    roles: list(text('user')),
    tier: text('gold'),
    jti: text('5f0c1f8e-9f0b-4a5e-8a59-0c4b1c1f3a77'),
    iat: integer(1_768_471_800, { maximum: Number.MAX_SAFE_INTEGER }),
    exp: integer(1_768_475_400, { maximum: Number.MAX_SAFE_INTEGER }),
    token_type: choice('Bearer'),
  },
)

/** The endpoints under /api/v1/auth. */
export function authEndpoints(
  database: UserDatabase,
  sessions: Sessions,
  introspectionSecret: string | undefined,
): Endpoint[] {
  return [
    endpointWithBody(
      registration,
      {
        id: 'register',
        method: 'POST',
        path: '/api/v1/auth/register',
        summary: 'Becomes a user',
        access: 'public',
        status: [201],
        reply: userSchema,
        problems: [409],
      },
      async ({ body }) => {
        const row = await register(database, body)
        return { status: 201, headers: { Location: `/api/v1/users/${row.id}` }, body: toUser(row) }
      },
    ),
    endpointWithBody(
      credentials,
      {
        id: 'login',
        method: 'POST',
        path: '/api/v1/auth/login',
        summary: 'Trades a password for a token',
        access: 'public',
        status: [200],
        reply: sessionSchema,
        problems: [401],
      },
      async ({ body }) => {
        const user = database.users.first('email = :email', { email: body.email.toLowerCase() })
        const known = await verifyPassword(body.password, user?.passwordHash)
        if (!user || !known) throw unauthorized('The address or the password is wrong.')
        return { status: 200, body: sessions.start(user) }
      },
    ),
    endpointWithBody(
      object('Refresh', { refreshToken }),
      {
        id: 'refresh',
        method: 'POST',
        path: '/api/v1/auth/refresh',
        summary: 'Trades a refresh token, which works once, for a new session',
        access: 'public',
        status: [200],
        reply: sessionSchema,
        problems: [401],
      },
      ({ body }) => {
        const session = sessions.renew(body.refreshToken)
        if (!session) throw unauthorized('The refresh token is not valid: it may have been used before.')
        return { status: 200, body: session }
      },
    ),
    endpoint(
      {
        id: 'logout',
        method: 'POST',
        path: '/api/v1/auth/logout',
        summary: 'Revokes the bearer token and the refresh token that came with it',
        access: 'user',
        status: [204],
        problems: [400],
      },
      ({ headers }) => {
        const bearer = bearerToken(headers)
        if (bearer === undefined) throw new Problem(400, 'There is no bearer token to revoke in Authorization.')
        const claims = sessions.check(bearer)
        if (claims) sessions.revoke(claims)
        return { status: 204 }
      },
    ),
    endpoint(
      {
        id: 'getMe',
        method: 'GET',
        path: '/api/v1/auth/me',
        summary: 'The user who asks',
        access: 'user',
        status: [200],
        reply: userSchema,
        problems: [404],
      },
      ({ caller }) => {
        const user = database.users.first('id = :id', { id: caller.id })
        if (!user) throw notFound('user', caller.id)
        return { status: 200, body: toUser(user) }
      },
    ),
    endpointWithBody(
      introspectionQuestion,
      {
        id: 'introspect',
        method: 'POST',
        path: '/api/v1/auth/introspect',
        summary: 'Whether a token is active, and what it says (RFC 7662)',
        access: 'public',
        status: [200],
        reply: introspection,
        problems: [401],
        form: true,
      },
      ({ body, headers }) => {
        requireIntrospectionSecret(headers, introspectionSecret)
        const claims = sessions.check(body.token)
        return { status: 200, body: claims ? { active: true, ...claims, token_type: 'Bearer' } : { active: false } }
      },
    ),
  ]
}

/** RFC 7662 section 2.1: an introspection endpoint asks who asks. */
function requireIntrospectionSecret(headers: IncomingHttpHeaders, secret: string | undefined): void {
  if (secret === undefined) return
  const expected = `Basic ${Buffer.from(`gateway:${secret}`).toString('base64')}`
  if (timingSafeEqual(digest(headers.authorization ?? ''), digest(expected))) return
  throw new Problem(401, 'Introspection needs the credentials of the gateway.', {
    headers: { 'WWW-Authenticate': 'Basic realm="introspection"' },
  })
}

function digest(value: string): Buffer {
  return createHash('sha256').update(value).digest()
}
