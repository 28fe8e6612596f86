import { listen } from '../support/server.ts'
import type { InstanceOptions, RunningInstance } from '../support/server.ts'
import { openNotificationDatabase } from './database.ts'
import { mailEndpoints } from './mails.ts'
import { notificationEndpoints } from './notifications.ts'

/** Starts an instance of the notification service: notifications and the outbox for mails. */
export function createNotificationService(options: InstanceOptions): Promise<RunningInstance> {
  const database = openNotificationDatabase()
  return listen(
    {
      title: 'Notification service',
      description: 'What users are told, in the platform and by mail. No mail leaves: it stays in the outbox.',
      endpoints: [...notificationEndpoints(database), ...mailEndpoints(database)],
    },
    options,
  )
}
