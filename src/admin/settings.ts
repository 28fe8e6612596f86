import { z } from 'zod'
import { logLevels } from '../core/logger.ts'
import { replicasShape, replicasOf } from '../core/operation.ts'
import { lowestLevel, setLogLevel } from '../runtime/operations/log-level.ts'
import { logLevelTopic } from '../telemetry/log-settings.ts'
import type { AdminApp } from './app.ts'
import type { AdminContext } from './context.ts'

const level = z.object({ level: z.enum(logLevels) })

/** GET and PUT /log-level: the current log level. */
export function settingEndpoints(app: AdminApp, { threads, everywhere }: AdminContext): void {
  app.get(
    '/log-level',
    { schema: { summary: 'The current log level', tags: ['settings'], response: { 200: level } } },
    async () => ({ level: lowestLevel(await threads.askAll(logLevelTopic, null)) }),
  )

  app.put(
    '/log-level',
    {
      config: { role: 'operator' },
      schema: {
        summary: 'Set the log level in all workers, until the gateway stops or its configuration changes the level',
        tags: ['settings'],
        body: level,
        response: { 200: level.extend(replicasShape) },
      },
    },
    async ({ body }) => {
      const done = await everywhere(setLogLevel, body)
      return { ...done.results[0], ...replicasOf(done) }
    },
  )
}
