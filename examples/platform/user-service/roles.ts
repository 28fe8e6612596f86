import { z } from 'zod'
import { pageOf, paging } from '../support/fields.ts'
import { notFound, problem, Problem } from '../support/problem.ts'
import { insert } from '../support/table.ts'
import type { App } from '../support/zod.ts'
import { role, type UserDatabase } from './database.ts'

const byName = z.object({ name: z.string() })
const newRole = z.strictObject(role.shape).meta({ examples: [{ name: 'auditor', description: 'Reads everything' }] })

/** The routes under /api/v1/roles. */
export function roleRoutes(app: App, database: UserDatabase): void {
  const find = (name: string) => database.roles.first('name = :name', { name })
  app.get(
    '/api/v1/roles',
    {
      schema: { operationId: 'listRoles', summary: 'All roles', querystring: paging, response: { 200: pageOf(role) } },
    },
    ({ query }) => database.roles.page('true', {}, query),
  )
  app.post(
    '/api/v1/roles',
    {
      config: { access: 'admin' },
      schema: {
        operationId: 'createRole',
        summary: 'Adds a role',
        body: newRole,
        response: { 201: role, 409: problem },
      },
    },
    async ({ body }, reply) => {
      if (find(body.name)) throw new Problem(409, `There is already a role ${body.name}.`)
      insert(database.sql, 'roles', body)
      return reply.code(201).header('Location', `/api/v1/roles/${body.name}`).send(body)
    },
  )
  app.get(
    '/api/v1/roles/:name',
    { schema: { operationId: 'getRole', summary: 'One role', params: byName, response: { 200: role } } },
    ({ params: { name } }) => {
      const found = find(name)
      if (!found) throw notFound('role', name)
      return found
    },
  )
}
