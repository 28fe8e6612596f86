import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { type Caller, ownsOrAdmin } from '../support/access.ts'
import { byId, pageOf, paging } from '../support/fields.ts'
import { notFound } from '../support/problem.ts'
import { insert } from '../support/table.ts'
import type { App } from '../support/zod.ts'
import { notification, type NotificationDatabase } from './database.ts'

const notice = notification
  .pick({ userId: true, title: true, text: true })
  .strict()
  .meta({ examples: [{ userId: 'user-alice', title: 'Tea', text: 'It is six.' }] })

const mark = z.strictObject({ read: z.boolean() }).meta({ examples: [{ read: true }] })

/** The routes under /api/v1/notifications. */
export function notificationRoutes(app: App, database: NotificationDatabase): void {
  const find = (id: string, caller: Caller): z.infer<typeof notification> => {
    const row = database.notifications.first('id = :id', { id })
    if (!row || !ownsOrAdmin(caller, row.userId)) throw notFound('notification', id)
    return row
  }
  app.get(
    '/api/v1/notifications',
    {
      schema: {
        operationId: 'listNotifications',
        summary: "The caller's notifications, newest first",
        querystring: paging,
        response: { 200: pageOf(notification) },
      },
    },
    ({ caller, query }) => database.notifications.page('userId = :id', { id: caller.id }, query),
  )
  app.post(
    '/api/v1/notifications',
    {
      config: { access: 'service' },
      schema: { operationId: 'notify', summary: 'Notifies a user', body: notice, response: { 201: notification } },
    },
    async ({ body }, reply) => {
      const row = { ...body, id: randomUUID(), createdAt: new Date().toISOString(), readAt: null }
      insert(database.sql, 'notifications', row)
      return reply.code(201).header('Location', `/api/v1/notifications/${row.id}`).send(row)
    },
  )
  app.get(
    '/api/v1/notifications/:id',
    {
      schema: {
        operationId: 'getNotification',
        summary: 'One notification',
        params: byId,
        response: { 200: notification },
      },
    },
    ({ caller, params }) => find(params.id, caller),
  )
  app.patch(
    '/api/v1/notifications/:id',
    {
      schema: {
        operationId: 'markNotification',
        summary: 'Marks a notification as read or unread',
        params: byId,
        body: mark,
        response: { 200: notification },
      },
    },
    ({ caller, params, body }) => {
      const row = find(params.id, caller)
      const readAt = body.read ? (row.readAt ?? new Date().toISOString()) : null
      database.sql.prepare('UPDATE notifications SET readAt = :readAt WHERE id = :id').run({ readAt, id: row.id })
      return { ...row, readAt }
    },
  )
  app.delete(
    '/api/v1/notifications/:id',
    {
      schema: {
        operationId: 'deleteNotification',
        summary: 'Removes a notification',
        params: byId,
        response: { 204: z.void() },
      },
    },
    async ({ caller, params }, reply) => {
      const { id } = find(params.id, caller)
      database.sql.prepare('DELETE FROM notifications WHERE id = :id').run({ id })
      return reply.code(204).send()
    },
  )
}
