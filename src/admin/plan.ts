import { z } from 'zod'
import { changeClasses } from '../config/plan/effects.ts'
import { ConfigError } from '../config/problems.ts'
import { GatewayError } from '../core/errors.ts'
import { Semaphore } from '../core/semaphore.ts'
import type { AdminApp } from './app.ts'
import type { AdminContext } from './context.ts'
import { problemSchema, refusal } from './refusal.ts'
import { lastOf } from '../runtime/reloads.ts'
import { sourceOf } from './source-of.ts'
import { acceptTexts, configurationText, TEXT_SIZE } from './texts.ts'

/** Maximum number of plans in progress or waiting: each takes a thread of its own, so they run one at a time. */
const WAITING = 8

const change = z.object({
  kind: z.enum(['added', 'removed', 'changed']),
  path: z.string(),
  steps: z.union([z.string(), z.int()]).array().readonly().describe('The path as a list.'),
  class: z.enum(changeClasses).describe('The most severe of its effects.'),
  before: z.unknown().optional().describe('Absent if something was added. Secrets are masked.'),
  after: z.unknown().optional().describe('Absent if something was removed.'),
  written: z
    .object({ before: z.unknown().optional(), after: z.unknown().optional() })
    .optional()
    .describe('Both as one would write them, such as 10s for 10000; absent if that is the same.'),
  effects: z.string().array().readonly().describe('One sentence each.'),
  routes: z.string().array().readonly().optional().describe('For general settings, the routes that they affect.'),
})

export const plan = z.object({
  same: z.boolean().describe('Whether there are no changes.'),
  changes: change.array().readonly(),
  warnings: problemSchema.array().readonly(),
  text: z.string().describe('The same as text, as sallyport plan prints it.'),
})

/** POST /config/plan: what another configuration would change. */
export function planEndpoints(app: AdminApp, { reloads, source }: AdminContext): void {
  const turns = new Semaphore()
  void app.register(async (scope: AdminApp) => {
    acceptTexts(scope, () => reloads.applied.config)
    scope.post(
      '/config/plan',
      {
        bodyLimit: TEXT_SIZE,
        config: { role: 'admin', readsOnly: true },
        schema: {
          summary: 'Show what another configuration would change, without applying it',
          description:
            'Compares the file as it is now, or the body: a configuration in YAML, read with the variables of the gateway as if it were ' +
            'in its file. A body needs admin.writable.',
          tags: ['configuration'],
          consumes: ['application/yaml'],
          body: configurationText.optional(),
          querystring: z.strictObject({
            back: z.stringbool().default(false).describe('Compare the text that POST /config/rollback returns to.'),
          }),
          response: { 200: plan },
        },
      },
      async ({ body = null, query: { back } }) => {
        const requested = sourceOf(source)
        if (back && body !== null) throw new GatewayError('bad-request', 'Send either a text or ?back=true.')
        const text = back ? lastOf(reloads).text : body
        if (turns.length >= WAITING)
          throw new GatewayError('too-busy', 'Too many plans are being made: try again later.')
        try {
          return await turns.run(() => requested.plan(text))
        } catch (error) {
          throw error instanceof ConfigError ? refusal(error.problems) : error
        }
      },
    )
  })
}
