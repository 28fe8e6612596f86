import { DatabaseSync } from 'node:sqlite'
import { email, identifier, timestamp } from '../support/fields.ts'
import { nullable, object, text } from '../support/schema.ts'
import type { Value } from '../support/schema.ts'
import { insert, reader } from '../support/table.ts'
import type { Reader } from '../support/table.ts'

const notice = {
  userId: identifier('user-alice'),
  title: text('Your order is on its way'),
  text: text('The white rabbit is carrying it.', { maxLength: 2000 }),
}

/** What it takes to notify a user. */
export const notificationInput = object('NotificationInput', notice)

/** A notification as it is stored and as clients see it. */
export const notificationSchema = object('Notification', {
  id: identifier('notification-1001'),
  ...notice,
  createdAt: timestamp,
  /** When the user read it. */
  readAt: nullable(timestamp),
})

const mail = {
  to: email,
  subject: text('Tea at six'),
  text: text('Please bring a cup.', { maxLength: 10_000 }),
}

/** What it takes to send a mail. */
export const mailInput = object('MailInput', mail)

/** A mail in the outbox, as it is stored and as clients see it. */
export const mailSchema = object('Mail', {
  id: identifier('mail-1001'),
  senderId: identifier('user-alice'),
  ...mail,
  createdAt: timestamp,
})

/** The tables of the notification service. */
export interface NotificationDatabase {
  readonly sql: DatabaseSync
  readonly notifications: Reader<Value<typeof notificationSchema>>
  readonly mails: Reader<Value<typeof mailSchema>>
}

/** A database in memory with one notification and one mail for alice in it. */
export function openNotificationDatabase(): NotificationDatabase {
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
  const createdAt = '2026-01-15T10:32:00.000Z'
  insert(sql, 'notifications', {
    id: 'notification-1001',
    userId: 'user-alice',
    title: 'Your order is on its way',
    text: 'The white rabbit is carrying order-1001.',
    createdAt,
    readAt: null,
  })
  insert(sql, 'mails', {
    id: 'mail-1001',
    senderId: 'user-admin',
    to: 'alice@example.com',
    subject: 'Your order is on its way',
    text: 'The white rabbit is carrying order-1001.',
    createdAt,
  })
  return {
    sql,
    notifications: reader(sql, 'notifications', notificationSchema, 'createdAt DESC, id'),
    mails: reader(sql, 'mails', mailSchema, 'createdAt DESC, id'),
  }
}
