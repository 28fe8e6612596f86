import { z } from 'zod'
import { logLevels } from '../core/logger.ts'
import { logLevelTopic } from '../telemetry/log-settings.ts'
import type { AdminApp } from './app.ts'
import type { AdminContext } from './context.ts'

const level = z.object({ level: z.enum(logLevels) })

/** GET and PUT /log-level: what is logged. */
export function settingEndpoints(app: AdminApp, { threads, log }: AdminContext): void {
  app.get(
    '/log-level',
    { schema: { summary: 'What is logged', tags: ['settings'], response: { 200: level } } },
    async () => ({ level: lowest(await threads.askAll(logLevelTopic, null)) }),
  )

  app.put(
    '/log-level',
    {
      schema: {
        summary: 'Change what is logged, in all workers, until the gateway ends or its configuration has another level',
        tags: ['settings'],
        body: level,
        response: { 200: level },
      },
    },
    async ({ body }) => {
      // Not as `level`, which is that of the line itself.
      log.warn({ log_level: body.level }, 'An operator changes the level of the log')
      return { level: lowest(await threads.askAll(logLevelTopic, body.level)) }
    },
  )
}

/** Threads that are just starting may be behind the others. */
function lowest(levels: readonly (typeof logLevels)[number][]): (typeof logLevels)[number] {
  return logLevels.find((each) => levels.includes(each)) ?? 'error'
}
