import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { type Caller, isAdmin, ownsOrAdmin } from '../support/access.ts'
import { byId, email, identifier, pageOf, paging, text, timestamp, word } from '../support/fields.ts'
import { notFound, problem, Problem } from '../support/problem.ts'
import { insert } from '../support/table.ts'
import type { App } from '../support/zod.ts'
import type { UserDatabase, UserRow } from './database.ts'
import { hashPassword } from './passwords.ts'

/** A user as clients see it. */
export const user = z
  .object({
    id: identifier,
    email,
    name: text(),
    roles: word.array().min(1).max(10),
    tier: word.nullable(),
    createdAt: timestamp,
  })
  .meta({ id: 'User' })

/** What it takes to register. */
export const registration = z
  .strictObject({ email, name: text(), password: z.string().min(8).max(128) })
  .meta({ examples: [{ email: 'carol@example.com', name: 'Carol Danvers', password: 'correct horse battery' }] })

const userChange = user
  .pick({ name: true, roles: true, tier: true })
  .strict()
  .partial()
  .meta({ examples: [{ name: 'Alice Liddell', roles: ['user'], tier: 'gold' }] })

/** The user without the password's hash. */
export function toUser(row: UserRow): z.infer<typeof user> {
  const { passwordHash: _, ...rest } = row
  return { ...rest, roles: row.roles.split(',') }
}

/** Adds a user with the role user; throws a Problem with 409 when the address is taken. */
export async function register(
  database: UserDatabase,
  { email: address, name, password }: z.infer<typeof registration>,
): Promise<UserRow> {
  const passwordHash = await hashPassword(password)
  if (database.users.first('email = :address', { address }))
    throw new Problem(409, `There is already a user with the address ${address}.`)
  const createdAt = new Date().toISOString()
  const row = { id: randomUUID(), email: address, name, passwordHash, roles: 'user', tier: null, createdAt }
  insert(database.sql, 'users', row)
  return row
}

/** The routes under /api/v1/users. */
export function userRoutes(app: App, database: UserDatabase): void {
  const find = (id: string, caller: Caller): UserRow => {
    const row = ownsOrAdmin(caller, id) ? database.users.first('id = :id', { id }) : undefined
    if (!row) throw notFound('user', id)
    return row
  }
  app.get(
    '/api/v1/users',
    {
      config: { access: 'admin' },
      schema: { operationId: 'listUsers', summary: 'All users', querystring: paging, response: { 200: pageOf(user) } },
    },
    ({ query }) => {
      const page = database.users.page('true', {}, query)
      return { ...page, items: page.items.map(toUser) }
    },
  )
  app.post(
    '/api/v1/users',
    {
      config: { access: 'admin' },
      schema: {
        operationId: 'createUser',
        summary: 'Adds a user for somebody else',
        body: registration,
        response: { 201: user, 409: problem },
      },
    },
    async ({ body }, reply) => {
      const row = await register(database, body)
      return reply.code(201).header('Location', `/api/v1/users/${row.id}`).send(toUser(row))
    },
  )
  app.get(
    '/api/v1/users/:id',
    {
      schema: {
        operationId: 'getUser',
        summary: 'One user: oneself, or anyone for an admin',
        params: byId,
        response: { 200: user },
      },
    },
    ({ caller, params }) => toUser(find(params.id, caller)),
  )
  app.patch(
    '/api/v1/users/:id',
    {
      schema: {
        operationId: 'changeUser',
        summary: 'Changes the name; an admin also changes roles and tier',
        params: byId,
        body: userChange,
        response: { 200: user, 403: problem },
      },
    },
    ({ caller, params, body }) => {
      const row = find(params.id, caller)
      const privileged = body.roles !== undefined || body.tier !== undefined
      if (privileged && !isAdmin(caller)) throw new Problem(403, 'Only an admin changes roles and tier.')
      const change = {
        name: body.name ?? row.name,
        roles: body.roles?.join(',') ?? row.roles,
        tier: body.tier === undefined ? row.tier : body.tier,
      }
      database.sql
        .prepare('UPDATE users SET name = :name, roles = :roles, tier = :tier WHERE id = :id')
        .run({ ...change, id: row.id })
      return toUser({ ...row, ...change })
    },
  )
  app.delete(
    '/api/v1/users/:id',
    {
      schema: {
        operationId: 'deleteUser',
        summary: 'Removes a user: oneself, or anyone for an admin',
        params: byId,
        response: { 204: z.void() },
      },
    },
    async ({ caller, params }, reply) => {
      const { id } = find(params.id, caller)
      database.sql.prepare('DELETE FROM users WHERE id = :id').run({ id })
      return reply.code(204).send()
    },
  )
}
