import { randomUUID } from 'node:crypto'
import { endpoint, endpointWithBody, endpointWithQuery, ownsOrAdmin } from '../support/endpoint.ts'
import type { Endpoint } from '../support/endpoint.ts'
import { pageFields, pageOf, pageWindow } from '../support/page.ts'
import { notFound } from '../support/problem.ts'
import { insert } from '../support/table.ts'
import { mailInput, mailSchema } from './database.ts'
import type { NotificationDatabase } from './database.ts'

/** The endpoints under /api/v1/email: an outbox that keeps what would be sent. */
export function mailEndpoints(database: NotificationDatabase): Endpoint[] {
  return [
    endpointWithQuery(
      pageFields,
      {
        id: 'listMails',
        method: 'GET',
        path: '/api/v1/email',
        summary: "The mails that the caller has sent, newest first; an admin sees everyone's",
        access: 'user',
        status: [200],
        reply: pageOf('MailPage', mailSchema),
      },
      ({ caller, query }) => {
        const sender = caller.roles.includes('admin') ? null : caller.id
        const where = ':sender IS NULL OR senderId = :sender'
        return { status: 200, body: database.mails.page(where, { sender }, pageWindow(query)) }
      },
    ),
    endpointWithBody(
      mailInput,
      {
        id: 'sendMail',
        method: 'POST',
        path: '/api/v1/email',
        summary: 'Puts a mail into the outbox',
        access: 'user',
        status: [201],
        reply: mailSchema,
      },
      ({ caller, body }) => {
        const row = { ...body, id: randomUUID(), senderId: caller.id, createdAt: new Date().toISOString() }
        insert(database.sql, 'mails', row)
        return { status: 201, headers: { Location: `/api/v1/email/${row.id}` }, body: row }
      },
    ),
    endpoint(
      {
        id: 'getMail',
        method: 'GET',
        path: '/api/v1/email/{id}',
        summary: 'One mail',
        access: 'user',
        status: [200],
        reply: mailSchema,
        problems: [404],
      },
      ({ caller, parameter }) => {
        const row = database.mails.first('id = :id', { id: parameter('id') })
        if (!row || !ownsOrAdmin(caller, row.senderId)) throw notFound('mail', parameter('id'))
        return { status: 200, body: row }
      },
    ),
  ]
}
