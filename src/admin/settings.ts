import { z } from 'zod'
import type { GatewayConfig } from '../config/schema.ts'
import { logLevels } from '../core/logger.ts'
import { logLevelTopic } from '../telemetry/log-settings.ts'
import type { AdminApp } from './app.ts'
import type { AdminContext } from './context.ts'
import { maskedConfig } from '../config/masked-config.ts'

const level = z.object({ level: z.enum(logLevels) })

/** GET /config: what the gateway runs with. GET and PUT /log-level: what is logged. */
export function settingEndpoints(app: AdminApp, { config, threads, log }: AdminContext): void {
  const masked = new WeakMap<GatewayConfig, Record<string, unknown>>()

  function shown(): Record<string, unknown> {
    const current = config()
    const made = masked.get(current) ?? maskedConfig(current)
    masked.set(current, made)
    return made
  }

  app.get(
    '/config',
    {
      schema: {
        summary: 'The configuration, secrets masked',
        description: 'Variables and defaults are filled in; times are milliseconds, sizes bytes.',
        tags: ['settings'],
        response: { 200: z.record(z.string(), z.unknown()) },
      },
    },
    shown,
  )

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
