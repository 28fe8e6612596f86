import { createHash, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { bearerToken } from '../support/access.ts'
import { readForms } from '../support/bodies.ts'
import { email } from '../support/fields.ts'
import { claimsSchema } from '../support/jwt.ts'
import { notFound, problem, Problem, unauthorized } from '../support/problem.ts'
import type { App } from '../support/zod.ts'
import type { UserDatabase } from './database.ts'
import { verifyPassword } from './passwords.ts'
import type { Sessions } from './sessions.ts'
import { register, registration, toUser, user } from './users.ts'

const token = z.string().min(1).max(8192)
const refreshToken = z.string().min(1).max(200)

const credentials = z
  .strictObject({ email, password: z.string().min(1).max(128) })
  .meta({ examples: [{ email: 'alice@example.com', password: 'wonderland' }] })
const refresh = z
  .strictObject({ refreshToken })
  .meta({ examples: [{ refreshToken: 'Zm9yIGRvY3VtZW50YXRpb24gb25seQ' }] })
const session = z
  .object({ token, refreshToken, tokenType: z.literal('Bearer'), expiresIn: z.int() })
  .meta({ id: 'Session' })

const question = z
  .strictObject({ token, token_type_hint: z.string().optional() })
  .meta({ examples: [{ token: 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.signature' }] })
const introspection = claimsSchema
  .partial()
  .extend({ active: z.boolean(), token_type: z.literal('Bearer').optional() })
  .meta({ id: 'Introspection' })

/** The routes under /api/v1/auth. */
export function authRoutes(app: App, database: UserDatabase, sessions: Sessions): void {
  app.post(
    '/api/v1/auth/register',
    {
      config: { access: 'public' },
      schema: {
        operationId: 'register',
        summary: 'Becomes a user',
        body: registration,
        response: { 201: user, 409: problem },
      },
    },
    async ({ body }, reply) => {
      const row = await register(database, body)
      return reply.code(201).header('Location', `/api/v1/users/${row.id}`).send(toUser(row))
    },
  )
  app.post(
    '/api/v1/auth/login',
    {
      config: { access: 'public' },
      schema: {
        operationId: 'login',
        summary: 'Trades a password for a token',
        body: credentials,
        response: { 200: session, 401: problem },
      },
    },
    async ({ body }) => {
      const row = database.users.first('email = :email', { email: body.email })
      const known = await verifyPassword(body.password, row?.passwordHash)
      if (!row || !known) throw unauthorized('The address or the password is wrong.')
      return sessions.start(row)
    },
  )
  app.post(
    '/api/v1/auth/refresh',
    {
      config: { access: 'public' },
      schema: {
        operationId: 'refresh',
        summary: 'Trades a refresh token, which works once, for a new session',
        body: refresh,
        response: { 200: session, 401: problem },
      },
    },
    async ({ body }) => {
      const renewed = await sessions.renew(body.refreshToken)
      if (!renewed) throw unauthorized('The refresh token is not valid: it may have been used before.')
      return renewed
    },
  )
  app.post(
    '/api/v1/auth/logout',
    {
      schema: {
        operationId: 'logout',
        summary: 'Revokes the bearer token and the refresh token that came with it',
        response: { 204: z.void(), 400: problem },
      },
    },
    async ({ headers }, reply) => {
      const bearer = bearerToken(headers)
      if (bearer === undefined) throw new Problem(400, 'There is no bearer token to revoke in Authorization.')
      const claims = await sessions.check(bearer)
      if (claims) sessions.revoke(claims)
      return reply.code(204).send()
    },
  )
  app.get(
    '/api/v1/auth/me',
    { schema: { operationId: 'getMe', summary: 'The user who asks', response: { 200: user, 404: problem } } },
    ({ caller: { id } }) => {
      const row = database.users.first('id = :id', { id })
      if (!row) throw notFound('user', id)
      return toUser(row)
    },
  )
}

/** Introspection (RFC 7662): the one route that takes a form. With a secret, it authenticates the caller (section 2.1). */
export function introspectionRoute(app: App, sessions: Sessions, secret: string | undefined): void {
  readForms(app)
  const expected = `Basic ${Buffer.from(`gateway:${secret}`).toString('base64')}`
  app.post(
    '/api/v1/auth/introspect',
    {
      config: { access: 'public' },
      schema: {
        operationId: 'introspect',
        summary: 'Whether a token is active, and what it says (RFC 7662)',
        consumes: ['application/x-www-form-urlencoded'],
        body: question,
        response: { 200: introspection, 401: problem },
      },
      async onRequest({ headers: { authorization = '' } }) {
        if (secret === undefined || timingSafeEqual(digest(authorization), digest(expected))) return
        throw new Problem(401, 'Introspection needs the credentials of the gateway.', {
          headers: { 'WWW-Authenticate': 'Basic realm="introspection"' },
        })
      },
    },
    async ({ body }) => {
      const claims = await sessions.check(body.token)
      return claims ? { active: true, ...claims, token_type: 'Bearer' as const } : { active: false }
    },
  )
}

function digest(value: string): Buffer {
  return createHash('sha256').update(value).digest()
}
