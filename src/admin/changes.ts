import { z } from 'zod'
import { GatewayError } from '../core/errors.ts'
import { parseDuration } from '../core/units.ts'
import type { Applied, Outcome } from '../runtime/reloads.ts'
import type { AdminApp } from './app.ts'
import type { AdminContext } from './context.ts'
import { etag } from './configuration.ts'
import { tagsOf, textTag } from './entity-tags.ts'
import { matches } from './if-match.ts'
import { callerFields } from './login/caller.ts'
import { refusal } from './refusal.ts'
import { sourceOf } from './source-of.ts'
import { acceptTexts, checkWritable, configurationText, TEXT_SIZE } from './texts.ts'

/** How long a change may wait for its confirmation, in milliseconds. */
const MIN = 1000
const MAX = 3_600_000
const timeoutExpected = 'expected a duration from "1s" to "1h"'

const timeout = z
  .string()
  .transform((text, context) => {
    const duration = parseDuration(text)
    if (duration !== undefined && duration >= MIN && duration <= MAX) return duration
    context.addIssue({ code: 'custom', message: timeoutExpected })
    return z.NEVER
  })
  .describe('From "1s" to "1h".')

const force = z
  .stringbool()
  .default(false)
  .describe('Even if the file was changed and not reloaded, or the text looks incomplete.')

/** The reply. */
export const changed = z.object({
  outcome: z.enum(['applied', 'unchanged', 'confirmed', 'rolled_back']),
  revision: z.string(),
  generation: z.int(),
  etag,
  until: z.iso.datetime().nullable().describe('When it is rolled back unless confirmed.'),
})

/** PUT /config, and the confirmation or rollback of a change. */
export function changeEndpoints(app: AdminApp, { reloads, source, log }: AdminContext): void {
  function describe(outcome: z.input<typeof changed>['outcome'], applied: Applied): z.input<typeof changed> {
    const until = source?.written.until ?? null
    const { revision, generation, text } = applied
    return {
      outcome,
      revision,
      generation,
      etag: text === null ? null : textTag(text),
      until: until === null ? null : new Date(until).toISOString(),
    }
  }

  /** Throws GatewayError 'precondition-failed' if another text is in effect by now. */
  function checkMatch(field: string | undefined): void {
    const { applied } = reloads
    if (field === undefined || matches(field, tagsOf(applied))) return
    throw new GatewayError(
      'precondition-failed',
      matches(field, [`"${applied.revision}"`])
        ? 'If-Match has the revision, which does not show whether comments or the order of keys have changed: send the ETag of GET /config/text or GET /config.'
        : 'The text of the running configuration has changed in the meantime: look at it again before you go on.',
    )
  }

  void app.register(async (scope: AdminApp) => {
    acceptTexts(scope, () => reloads.applied.config)
    scope.put(
      '/config',
      {
        bodyLimit: TEXT_SIZE,
        schema: {
          summary: 'Apply another configuration, and write it to the file',
          description:
            'The body is the file, in YAML. If-Match holds the ETag of the text that it replaces. All of it takes effect or, with 422, ' +
            'nothing. With `confirm` it is written only on POST /config/confirm, and rolled back if that does not come in time.',
          tags: ['configuration'],
          consumes: ['application/yaml'],
          body: configurationText.optional(),
          querystring: z.strictObject({ force, confirm: timeout.optional() }),
          response: { 200: changed },
        },
      },
      async ({ body: text, headers, query, operator }) => {
        const { written } = sourceOf(source)
        const field = headers['if-match']
        const check = (): void => {
          checkWritable(reloads.applied.config)
          checkMatch(field)
        }
        checkWritable(reloads.applied.config)
        if (field === undefined)
          throw new GatewayError(
            'precondition-required',
            'Send If-Match with the ETag of GET /config/text or GET /config.',
          )
        if (text === undefined) throw new GatewayError('bad-request', 'Send the text of the configuration as the body.')
        const confirm = query.confirm ?? null
        const outcome = await written.put({ text, check, force: query.force, confirm, asker: callerFields(operator) })
        const { revision, generation } = outcome.applied
        log.warn(
          {
            ...callerFields(operator),
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
        summary: 'Confirm a pending change, and write it to the file',
        description: 'If-Match is respected if present.',
        tags: ['configuration'],
        response: { 200: changed },
      },
    },
    async ({ headers, operator }) => {
      const applied = await sourceOf(source).written.confirm(() => checkMatch(headers['if-match']))
      log.warn({ ...callerFields(operator), revision: applied.revision }, 'An operator has confirmed the configuration')
      return describe('confirmed', applied)
    },
  )

  app.post(
    '/config/rollback',
    {
      schema: {
        summary: 'Roll back to the previous configuration, and write it to the file',
        description: 'Each call goes one further back, up to five. If-Match is respected if present.',
        tags: ['configuration'],
        querystring: z.strictObject({ force }),
        response: { 200: changed },
      },
    },
    async ({ headers, query, operator }) => {
      const { written } = sourceOf(source)
      const field = headers['if-match']
      const outcome = await written.rollback(
        (isUnconfirmed) => {
          checkMatch(field)
          // An unconfirmed change may have turned that off.
          if (!isUnconfirmed) checkWritable(reloads.applied.config)
        },
        query.force,
        callerFields(operator),
      )
      const { revision, generation } = outcome.applied
      log.warn(
        { ...callerFields(operator), outcome: outcome.outcome, revision, generation },
        'An operator has rolled the configuration back',
      )
      return describe(acceptable(outcome) === 'applied' ? 'rolled_back' : 'unchanged', outcome.applied)
    },
  )
}

/** Throws GatewayError 'unprocessable-content' for a configuration that was refused. */
function acceptable(outcome: Outcome): 'applied' | 'unchanged' {
  if (outcome.outcome === 'refused') throw refusal(outcome.problems)
  return outcome.outcome
}
