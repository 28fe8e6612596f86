import { endpoint, endpointWithBody, endpointWithQuery } from '../support/endpoint.ts'
import type { Endpoint } from '../support/endpoint.ts'
import { pageFields, pageOf, pageWindow } from '../support/page.ts'
import { Problem, notFound } from '../support/problem.ts'
import { object, text } from '../support/schema.ts'
import { insert } from '../support/table.ts'
import type { UserDatabase } from './database.ts'

const roleSchema = object('Role', {
  name: text('auditor', { maxLength: 50, pattern: /^[a-z][a-z0-9_-]*$/ }),
  description: text('Reads everything'),
})

/** The endpoints under /api/v1/roles. */
export function roleEndpoints(database: UserDatabase): Endpoint[] {
  const find = (name: string) => database.roles.first('name = :name', { name })
  return [
    endpointWithQuery(
      pageFields,
      {
        id: 'listRoles',
        method: 'GET',
        path: '/api/v1/roles',
        summary: 'All roles',
        access: 'user',
        status: [200],
        reply: pageOf('RolePage', roleSchema),
      },
      ({ query }) => ({ status: 200, body: database.roles.page('true', {}, pageWindow(query)) }),
    ),
    endpointWithBody(
      roleSchema,
      {
        id: 'createRole',
        method: 'POST',
        path: '/api/v1/roles',
        summary: 'Adds a role',
        access: 'admin',
        status: [201],
        reply: roleSchema,
        problems: [409],
      },
      ({ body }) => {
        if (find(body.name)) throw new Problem(409, `There is already a role ${body.name}.`)
        insert(database.sql, 'roles', { ...body })
        return { status: 201, headers: { Location: `/api/v1/roles/${body.name}` }, body }
      },
    ),
    endpoint(
      {
        id: 'getRole',
        method: 'GET',
        path: '/api/v1/roles/{name}',
        summary: 'One role',
        access: 'user',
        status: [200],
        reply: roleSchema,
        problems: [404],
      },
      ({ parameter }) => {
        const role = find(parameter('name'))
        if (!role) throw notFound('role', parameter('name'))
        return { status: 200, body: role }
      },
    ),
  ]
}
