import { randomUUID } from 'node:crypto'
import { isAdmin, ownsOrAdmin } from '../support/access.ts'
import { byId, pageOf, paging } from '../support/fields.ts'
import { notFound } from '../support/problem.ts'
import { insert } from '../support/table.ts'
import type { App } from '../support/zod.ts'
import { mail, type NotificationDatabase } from './database.ts'

const mailInput = mail
  .pick({ to: true, subject: true, text: true })
  .strict()
  .meta({ examples: [{ to: 'carol@example.com', subject: 'Tea at six', text: 'Please bring a cup.' }] })

/** The routes under /api/v1/email: an outbox that keeps what would be sent. */
export function mailRoutes(app: App, database: NotificationDatabase): void {
  app.get(
    '/api/v1/email',
    {
      schema: {
        operationId: 'listMails',
        summary: "The mails that the caller has sent, newest first; an admin sees everyone's",
        querystring: paging,
        response: { 200: pageOf(mail) },
      },
    },
    ({ caller, query }) => {
      const sender = isAdmin(caller) ? null : caller.id
      return database.mails.page(':sender IS NULL OR senderId = :sender', { sender }, query)
    },
  )
  app.post(
    '/api/v1/email',
    {
      schema: {
        operationId: 'sendMail',
        summary: 'Puts a mail in the outbox',
        body: mailInput,
        response: { 201: mail },
      },
    },
    async ({ caller, body }, reply) => {
      const row = { ...body, id: randomUUID(), senderId: caller.id, createdAt: new Date().toISOString() }
      insert(database.sql, 'mails', row)
      return reply.code(201).header('Location', `/api/v1/email/${row.id}`).send(row)
    },
  )
  app.get(
    '/api/v1/email/:id',
    { schema: { operationId: 'getMail', summary: 'One mail', params: byId, response: { 200: mail } } },
    ({ caller, params: { id } }) => {
      const row = database.mails.first('id = :id', { id })
      if (!row || !ownsOrAdmin(caller, row.senderId)) throw notFound('mail', id)
      return row
    },
  )
}
