import { randomUUID } from 'node:crypto'
import { endpoint, endpointWithBody, endpointWithQuery, ownsOrAdmin } from '../support/endpoint.ts'
import type { Caller, Endpoint } from '../support/endpoint.ts'
import { pageFields, pageOf, pageWindow } from '../support/page.ts'
import { notFound } from '../support/problem.ts'
import { flag, object } from '../support/schema.ts'
import type { Value } from '../support/schema.ts'
import { insert } from '../support/table.ts'
import { notificationInput, notificationSchema } from './database.ts'
import type { NotificationDatabase } from './database.ts'

/** The endpoints under /api/v1/notifications. */
export function notificationEndpoints(database: NotificationDatabase): Endpoint[] {
  const find = (id: string, caller: Caller): Value<typeof notificationSchema> => {
    const row = database.notifications.first('id = :id', { id })
    if (!row || !ownsOrAdmin(caller, row.userId)) throw notFound('notification', id)
    return row
  }
  return [
    endpointWithQuery(
      pageFields,
      {
        id: 'listNotifications',
        method: 'GET',
        path: '/api/v1/notifications',
        summary: "The caller's notifications, newest first",
        access: 'user',
        status: [200],
        reply: pageOf('NotificationPage', notificationSchema),
      },
      ({ caller, query }) => {
        const page = database.notifications.page('userId = :id', { id: caller.id }, pageWindow(query))
        return { status: 200, body: page }
      },
    ),
    endpointWithBody(
      notificationInput,
      {
        id: 'notify',
        method: 'POST',
        path: '/api/v1/notifications',
        summary: 'Notifies a user',
        access: 'service',
        status: [201],
        reply: notificationSchema,
      },
      ({ body }) => {
        const row = { ...body, id: randomUUID(), createdAt: new Date().toISOString(), readAt: null }
        insert(database.sql, 'notifications', row)
        return { status: 201, headers: { Location: `/api/v1/notifications/${row.id}` }, body: row }
      },
    ),
    endpoint(
      {
        id: 'getNotification',
        method: 'GET',
        path: '/api/v1/notifications/{id}',
        summary: 'One notification',
        access: 'user',
        status: [200],
        reply: notificationSchema,
        problems: [404],
      },
      ({ caller, parameter }) => ({ status: 200, body: find(parameter('id'), caller) }),
    ),
    endpointWithBody(
      object('NotificationChange', { read: flag(true) }),
      {
        id: 'markNotification',
        method: 'PATCH',
        path: '/api/v1/notifications/{id}',
        summary: 'Marks a notification as read or unread',
        access: 'user',
        status: [200],
        reply: notificationSchema,
        problems: [404],
      },
      ({ caller, parameter, body }) => {
        const row = find(parameter('id'), caller)
        const readAt = body.read ? (row.readAt ?? new Date().toISOString()) : null
        database.sql.prepare('UPDATE notifications SET readAt = :readAt WHERE id = :id').run({ readAt, id: row.id })
        return { status: 200, body: { ...row, readAt } }
      },
    ),
    endpoint(
      {
        id: 'deleteNotification',
        method: 'DELETE',
        path: '/api/v1/notifications/{id}',
        summary: 'Removes a notification',
        access: 'user',
        status: [204],
        problems: [404],
      },
      ({ caller, parameter }) => {
        const { id } = find(parameter('id'), caller)
        database.sql.prepare('DELETE FROM notifications WHERE id = :id').run({ id })
        return { status: 204 }
      },
    ),
  ]
}
