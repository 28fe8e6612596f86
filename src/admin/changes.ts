import { z } from 'zod'
import { GatewayError } from '../core/errors.ts'
import { parseDuration } from '../core/units.ts'
import type { Applied, Outcome } from '../runtime/reloader.ts'
import type { AdminApp } from './app.ts'
import type { AdminContext } from './context.ts'
import { matches } from './if-match.ts'
import { refusal } from './refusal.ts'
import { sourceOf } from './source-of.ts'
import { acceptTexts, checkWritable, configurationText, TEXT_SIZE } from './texts.ts'

/** How long a change may wait for its confirmation, in milliseconds. */
const LEAST = 1000
const MOST = 3_600_000
const patienceExpected = 'expected a duration from "1s" to "1h"'

const patience = z
  .string()
  .transform((text, context) => {
    const duration = parseDuration(text)
    if (duration !== undefined && duration >= LEAST && duration <= MOST) return duration
    context.addIssue({ code: 'custom', message: patienceExpected })
    return z.NEVER
  })
  .describe('From "1s" to "1h".')

const force = z
  .stringbool()
  .default(false)
  .describe('Even where the file has been changed and not reloaded, or the text looks as if it were not whole.')

const changed = z.object({
  outcome: z.enum(['applied', 'unchanged', 'confirmed', 'rolled_back']),
  revision: z.string(),
  generation: z.int(),
  until: z.iso.datetime().nullable().describe('When it is taken back unless it is confirmed.'),
})

/** PUT /config, and what confirms it or takes it back. */
export function changeEndpoints(app: AdminApp, { reloads, source, log }: AdminContext): void {
  function describe(outcome: z.input<typeof changed>['outcome'], applied: Applied): z.input<typeof changed> {
    const until = source?.written.until ?? null
    const { revision, generation } = applied
    return { outcome, revision, generation, until: until === null ? null : new Date(until).toISOString() }
  }

  /** Throws GatewayError 'precondition-failed' where another configuration is running by now. */
  function checkMatch(field: string | undefined): void {
    if (field === undefined || matches(field, reloads.applied.revision)) return
    throw new GatewayError(
      'precondition-failed',
      'The running configuration has changed since: get it again with its ETag, and make your change to that.',
    )
  }

  void app.register(async (scope: AdminApp) => {
    acceptTexts(scope, () => reloads.applied.config)
    scope.put(
      '/config',
      {
        bodyLimit: TEXT_SIZE,
        schema: {
          summary: 'Change to another configuration, and write it to the file',
          description:
            'The body is the file, in YAML. If-Match has the ETag of the one that it replaces. All of it takes effect or, with 422, ' +
            'nothing. With `confirm` it is written only once POST /config/confirm comes, and taken back where that does not come in time.',
          tags: ['configuration'],
          consumes: ['application/yaml'],
          body: configurationText.optional(),
          querystring: z.strictObject({ force, confirm: patience.optional() }),
          response: { 200: changed },
        },
      },
      async ({ body: text, headers, query }) => {
        const { written } = sourceOf(source)
        const field = headers['if-match']
        const check = (): void => {
          checkWritable(reloads.applied.config)
          checkMatch(field)
        }
        checkWritable(reloads.applied.config)
        if (field === undefined)
          throw new GatewayError('precondition-required', 'Send If-Match with the ETag of GET /config.')
        if (text === undefined) throw new GatewayError('bad-request', 'Send the text of the configuration as the body.')
        const confirm = query.confirm ?? null
        const outcome = await written.put({ text, check, force: query.force, confirm })
        const { revision, generation } = outcome.applied
        log.warn(
          {
            outcome: outcome.outcome,
            revision,
            generation,
            force: query.force,
            confirm_seconds: confirm && confirm / 1000,
          },
          'An operator has changed the configuration',
        )
        return describe(acceptable(outcome), outcome.applied)
      },
    )
  })

  app.post(
    '/config/confirm',
    {
      schema: {
        summary: 'Keep a change that waits for its confirmation, and write it to the file',
        tags: ['configuration'],
        response: { 200: changed },
      },
    },
    async () => {
      const applied = await sourceOf(source).written.confirm()
      log.warn({ revision: applied.revision }, 'An operator has confirmed the configuration')
      return describe('confirmed', applied)
    },
  )

  app.post(
    '/config/rollback',
    {
      schema: {
        summary: 'Go back to the configuration before, and write it to the file',
        description: 'Once more goes one further back, up to five. If-Match is heeded where it is there.',
        tags: ['configuration'],
        querystring: z.strictObject({ force }),
        response: { 200: changed },
      },
    },
    async ({ headers, query }) => {
      const { written } = sourceOf(source)
      const field = headers['if-match']
      const outcome = await written.rollback(() => {
        checkWritable(reloads.applied.config)
        checkMatch(field)
      }, query.force)
      const { revision, generation } = outcome.applied
      log.warn({ outcome: outcome.outcome, revision, generation }, 'An operator has rolled the configuration back')
      return describe(acceptable(outcome) === 'applied' ? 'rolled_back' : 'unchanged', outcome.applied)
    },
  )
}

/** Throws GatewayError 'unprocessable-content' for one that was refused. */
function acceptable(outcome: Outcome): 'applied' | 'unchanged' {
  if (outcome.outcome === 'refused') throw refusal(outcome.problems)
  return outcome.outcome
}
