import { type InstanceOptions, type RunningInstance, startService } from '../support/service.ts'
import { openNotificationDatabase } from './database.ts'
import { mailRoutes } from './mails.ts'
import { notificationRoutes } from './notifications.ts'

/** Starts an instance of the notification service: notifications and the outbox for mails. */
export function createNotificationService(options: InstanceOptions): Promise<RunningInstance> {
  const database = openNotificationDatabase()
  const description = 'What users are told, in the platform and by mail. No mail leaves: it stays in the outbox.'
  return startService({ title: 'Notification service', description }, options, (app) => {
    notificationRoutes(app, database)
    mailRoutes(app, database)
  })
}
