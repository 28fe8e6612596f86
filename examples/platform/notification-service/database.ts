import { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { email, identifier, text, timestamp } from '../support/fields.ts'
import { insert, reader } from '../support/table.ts'

const aNotification = {
  id: 'notification-1001',
  userId: 'user-alice',
  title: 'Your order is on its way',
  text: 'The white rabbit is carrying order-1001.',
  createdAt: '2026-01-15T10:32:00.000Z',
  readAt: null,
}

/** A notification, as it is stored and as clients see it. */
export const notification = z
  .object({
    id: identifier,
    userId: identifier,
    title: text(),
    text: text(2000),
    createdAt: timestamp,
    /** When the user read it. */
    readAt: timestamp.nullable(),
  })
  .meta({ id: 'Notification', examples: [aNotification] })

const aMail = {
  id: 'mail-1001',
  senderId: 'user-admin',
  to: 'alice@example.com',
  subject: 'Your order is on its way',
  text: 'The white rabbit is carrying order-1001.',
  createdAt: '2026-01-15T10:32:00.000Z',
}

/** A mail in the outbox, as it is stored and as clients see it. */
export const mail = z
  .object({
    id: identifier,
    senderId: identifier,
    to: email,
    subject: text(),
    text: text(10_000),
    createdAt: timestamp,
  })
  .meta({ id: 'Mail', examples: [aMail] })

/** The tables of the notification service. */
export type NotificationDatabase = ReturnType<typeof openNotificationDatabase>

/** A database in memory with one notification and one mail for alice in it. */
export function openNotificationDatabase() {
  const sql = new DatabaseSync(':memory:')
  sql.exec(`
    CREATE TABLE notifications (
      id TEXT PRIMARY KEY, userId TEXT NOT NULL, title TEXT NOT NULL, text TEXT NOT NULL,
      createdAt TEXT NOT NULL, readAt TEXT
    ) STRICT;
    CREATE TABLE mails (
      id TEXT PRIMARY KEY, senderId TEXT NOT NULL, "to" TEXT NOT NULL, subject TEXT NOT NULL, text TEXT NOT NULL,
      createdAt TEXT NOT NULL
    ) STRICT;
  `)
  insert(sql, 'notifications', aNotification)
  insert(sql, 'mails', aMail)
  return {
    sql,
    notifications: reader(sql, 'notifications', notification, 'createdAt DESC, id'),
    mails: reader(sql, 'mails', mail, 'createdAt DESC, id'),
  }
}
