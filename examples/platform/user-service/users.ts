import { randomUUID } from 'node:crypto'
import { endpoint, endpointWithBody, endpointWithQuery, ownsOrAdmin } from '../support/endpoint.ts'
import type { Caller, Endpoint } from '../support/endpoint.ts'
import { email, identifier, timestamp } from '../support/fields.ts'
import { pageFields, pageOf, pageWindow } from '../support/page.ts'
import { Problem, notFound } from '../support/problem.ts'
import { list, nullable, object, text } from '../support/schema.ts'
import type { Value } from '../support/schema.ts'
import { insert } from '../support/table.ts'
import type { UserDatabase, UserRow } from './database.ts'
import { hashPassword } from './passwords.ts'

const name = text('Carol Danvers')
const roles = list(text('user', { maxLength: 50, pattern: /^[a-z][a-z0-9_-]*$/ }), { minItems: 1, maxItems: 10 })
const tier = text('gold', { maxLength: 50, pattern: /^[a-z][a-z0-9_-]*$/ })

/** A user as clients see it. */
export const userSchema = object('User', {
  id: identifier('user-alice'),
  email,
  name,
  roles,
  tier: nullable(tier),
  createdAt: timestamp,
})

/** What it takes to register. */
export const registration = object('Registration', {
  email,
  name,
  password: text('correct horse battery', { minLength: 8, maxLength: 128, format: 'password' }),
})

const userChange = object('UserChange', {}, { name, roles, tier: nullable(tier) })

/** The user without the password's hash. */
export function toUser(row: UserRow): Value<typeof userSchema> {
  const { passwordHash: _, ...rest } = row
  return { ...rest, roles: row.roles.split(',') }
}

/** Adds a user with the role user; throws a Problem with 409 when the address is taken. */
export async function register(database: UserDatabase, input: Value<typeof registration>): Promise<UserRow> {
  const address = input.email.toLowerCase()
  const passwordHash = await hashPassword(input.password)
  if (database.users.first('email = :address', { address })) {
    throw new Problem(409, `There is already a user with the address ${address}.`)
  }
  const createdAt = new Date().toISOString()
  const row = { id: randomUUID(), email: address, name: input.name, passwordHash, roles: 'user', tier: null, createdAt }
  insert(database.sql, 'users', row)
  return row
}

/** The endpoints under /api/v1/users. */
export function userEndpoints(database: UserDatabase): Endpoint[] {
  const find = (id: string, caller: Caller): UserRow => {
    const row = ownsOrAdmin(caller, id) ? database.users.first('id = :id', { id }) : undefined
    if (!row) throw notFound('user', id)
    return row
  }
  return [
    endpointWithQuery(
      pageFields,
      {
        id: 'listUsers',
        method: 'GET',
        path: '/api/v1/users',
        summary: 'All users',
        access: 'admin',
        status: [200],
        reply: pageOf('UserPage', userSchema),
      },
      ({ query }) => {
        const page = database.users.page('true', {}, pageWindow(query))
        return { status: 200, body: { ...page, items: page.items.map(toUser) } }
      },
    ),
    endpointWithBody(
      registration,
      {
        id: 'createUser',
        method: 'POST',
        path: '/api/v1/users',
        summary: 'Adds a user for somebody else',
        access: 'admin',
        status: [201],
        reply: userSchema,
        problems: [409],
      },
      async ({ body }) => {
        const row = await register(database, body)
        return { status: 201, headers: { Location: `/api/v1/users/${row.id}` }, body: toUser(row) }
      },
    ),
    endpoint(
      {
        id: 'getUser',
        method: 'GET',
        path: '/api/v1/users/{id}',
        summary: 'One user: oneself, or anyone for an admin',
        access: 'user',
        status: [200],
        reply: userSchema,
        problems: [404],
      },
      ({ caller, parameter }) => ({ status: 200, body: toUser(find(parameter('id'), caller)) }),
    ),
    endpointWithBody(
      userChange,
      {
        id: 'changeUser',
        method: 'PATCH',
        path: '/api/v1/users/{id}',
        summary: 'Changes the name; an admin also changes roles and tier',
        access: 'user',
        status: [200],
        reply: userSchema,
        problems: [403, 404],
      },
      ({ caller, parameter, body }) => {
        const row = find(parameter('id'), caller)
        const privileged = body.roles !== undefined || body.tier !== undefined
        if (privileged && !caller.roles.includes('admin'))
          throw new Problem(403, 'Only an admin changes roles and tier.')
        const change = {
          name: body.name ?? row.name,
          roles: body.roles?.join(',') ?? row.roles,
          tier: body.tier === undefined ? row.tier : body.tier,
        }
        database.sql
          .prepare('UPDATE users SET name = :name, roles = :roles, tier = :tier WHERE id = :id')
          .run({ ...change, id: row.id })
        return { status: 200, body: toUser({ ...row, ...change }) }
      },
    ),
    endpoint(
      {
        id: 'deleteUser',
        method: 'DELETE',
        path: '/api/v1/users/{id}',
        summary: 'Removes a user: oneself, or anyone for an admin',
        access: 'user',
        status: [204],
        problems: [404],
      },
      ({ caller, parameter }) => {
        const { id } = find(parameter('id'), caller)
        database.sql.prepare('DELETE FROM users WHERE id = :id').run({ id })
        return { status: 204 }
      },
    ),
  ]
}
