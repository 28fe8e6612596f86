import { basename } from 'node:path'
import { z } from 'zod'
import { GatewayError } from '../core/errors.ts'
import { canonical } from '../config/plan/canonical.ts'
import { type UnitAt, unitsOf } from '../config/plan/units.ts'
import { writtenValue } from '../config/plan/written-value.ts'
import { maskedConfig } from '../config/masked-config.ts'
import { maskedSource } from '../config/masked-source.ts'
import { type Path, problemMember } from '../config/problems.ts'
import type { GatewayConfig } from '../config/schema.ts'
import { operatorProofs } from '../core/operator-proof.ts'
import { fieldOf, type Fields, itemsOf } from '../core/value.ts'
import { threadStatusTopic } from '../front/thread-status.ts'
import { ways } from '../runtime/origin.ts'
import type { Outcome, Rewritten } from '../runtime/reloads.ts'
import type { AdminApp } from './app.ts'
import type { AdminContext } from './context.ts'
import { configTag, textTag } from './entity-tags.ts'
import { callerFields } from './login/caller.ts'
import { problemSchema, refusal } from './refusal.ts'
import { sourceOf } from './source-of.ts'
import { maySend } from './texts.ts'

const time = z.iso.datetime()
const revision = z.string().describe('Hash of what the configuration means: equivalent configurations have the same.')
const generation = z.int().describe('Number of the configuration within this process, starting at 1.')

const tag = z
  .string()
  .describe('ETag of the text, for If-Match: another text has another one, even if it means the same.')
/** Null for a module, which has no text. */
export const etag = tag.nullable()

const origin = z
  .object({
    how: z
      .enum(ways)
      .describe(
        'started: with the process; reloaded: from the file; sent: with PUT /config; went_back: with POST /config/rollback; expired: the ' +
          'one after it was not confirmed in time.',
      ),
    operator: z
      .string()
      .nullable()
      .describe('Name of the user; null for the token, on this machine, and if nobody asked.'),
    by: z.enum(operatorProofs).nullable().describe('How the operator was identified; null if nobody asked.'),
  })
  .describe('Why it is in effect, and who asked for it.')

const rewritten = z
  .object({ at: time, origin })
  .nullable()
  .describe(
    'When and by whom the text was last changed without changing what it means, such as in comments; null if it was not.',
  )

export const status = z.object({
  revision,
  generation,
  etag,
  since: time.describe('When it took effect.'),
  origin,
  rewritten,
  current: z.boolean().describe('False if the last one read was refused.'),
  warnings: problemSchema.array().describe('Warnings about the running configuration.'),
  writable: z.boolean().describe('Whether operators may send configurations (admin.writable).'),
  lastReload: z
    .object({
      outcome: z.enum(['applied', 'unchanged', 'refused', 'rolled_back']),
      at: time.describe('When it ended.'),
      problems: problemSchema.array().describe('Why it was refused.'),
    })
    .nullable()
    .describe('Includes a start with a refused file; null before the first.'),
  awaitsConfirmation: z
    .object({ until: time })
    .nullable()
    .describe('A pending change, rolled back unless POST /config/confirm comes in time; otherwise null.'),
  earlier: z
    .object({ revision, generation, since: time, origin, rewritten })
    .array()
    .describe('What POST /config/rollback returns to, latest first.'),
  workers: z
    .object({ worker: z.int().describe('Its number, from 0; a replacement keeps it.'), generation })
    .array()
    .describe('The worker threads and the configuration of each; one that does not answer in time is left out.'),
})

export const written = z.object({
  file: z.string().describe('Name of the file.'),
  masked: z.boolean().describe('Whether secrets are masked in the text.'),
  text: z.string(),
  etag: tag,
})

const reloaded = z.object({ outcome: z.enum(['applied', 'unchanged']), revision, generation })

const forced = z.object({
  force: z.stringbool().default(false).describe('Even if the file looks incomplete.'),
})

/** GET /config and /config/status: the running configuration. POST /config/reload: reloads it. */
export function configurationEndpoints(app: AdminApp, { policies, reloads, source, threads, log }: AdminContext): void {
  const masked = new WeakMap<GatewayConfig, Record<string, unknown>>()

  app.get(
    '/config',
    {
      schema: {
        summary: 'The running configuration, with secrets masked',
        description:
          'Variables and defaults are filled in; times are in milliseconds, sizes in bytes. ETag changes with the text and its meaning. With `route`, only that ' +
          'route and the policies for all routes, with times, sizes and rates as one would write them.',
        tags: ['configuration'],
        querystring: z.strictObject({ route: z.string().optional().describe('ID of the route.') }),
        response: { 200: z.record(z.string(), z.unknown()) },
      },
    },
    async ({ query: { route } }, reply) => {
      const { config } = reloads.applied
      const shown = masked.get(config) ?? maskedConfig(config)
      masked.set(config, shown)
      void reply.header('ETag', configTag(reloads.applied))
      return route === undefined ? shown : writtenRoute(shown, route, unitsOf(await policies(config)))
    },
  )

  app.get(
    '/config/status',
    {
      schema: {
        summary: 'The configuration of each worker, and the outcome of the last reload',
        tags: ['configuration'],
        response: { 200: status },
      },
    },
    async () => {
      const answers = await threads.askAll(threadStatusTopic, null)
      const { applied, lastReload: last, lastSuccessful, earlier } = reloads
      const until = source?.written.until ?? null
      return {
        revision: applied.revision,
        generation: applied.generation,
        etag: applied.text === null ? null : textTag(applied.text),
        since: timeOf(applied.since),
        origin: applied.origin,
        rewritten: describeRewritten(applied.rewritten),
        current: lastSuccessful,
        warnings: applied.warnings.map(problemMember),
        writable: applied.config.admin !== false && applied.config.admin.writable,
        lastReload: last && { outcome: last.outcome, at: timeOf(last.at), problems: last.problems.map(problemMember) },
        awaitsConfirmation: until === null ? null : { until: timeOf(until) },
        earlier: earlier.map((each) => ({
          revision: each.revision,
          generation: each.generation,
          since: timeOf(each.since),
          origin: each.origin,
          rewritten: describeRewritten(each.rewritten),
        })),
        workers: answers
          .map(({ worker, generation: number }) => ({ worker, generation: number }))
          .toSorted((a, b) => a.worker - b.worker),
      }
    },
  )

  app.get(
    '/config/text',
    {
      schema: {
        summary: 'The text of the running configuration, as it is written in its file',
        description:
          'For editing and sending with PUT /config. Secrets are masked for callers who may not send a configuration.',
        tags: ['configuration'],
        response: { 200: written },
      },
    },
    ({ operator }, reply) => {
      const { file } = sourceOf(source)
      const { text, config } = reloads.applied
      if (text === null)
        throw new GatewayError('conflict', `${basename(file)} is a module: change it there, and reload it.`)
      const masks = !maySend(config, operator)
      void reply.header('ETag', textTag(text))
      return { file: basename(file), masked: masks, text: masks ? maskedSource(text) : text, etag: textTag(text) }
    },
  )

  app.post(
    '/config/reload',
    {
      schema: {
        summary: 'Read the configuration again, and apply it in all workers',
        description: 'All of it takes effect or, with 422, nothing: `problems` says what is wrong and where.',
        tags: ['configuration'],
        querystring: forced,
        response: { 200: reloaded },
      },
    },
    async ({ query: { force }, operator }) => {
      const outcome = await sourceOf(source).reload(force, callerFields(operator))
      log.warn({ ...callerFields(operator), outcome: outcome.outcome, force }, 'An operator has asked for a reload')
      return describe(outcome)
    },
  )
}

/** A route of that configuration and the policies for all routes, as one would write them. */
function writtenRoute({ routes, policies }: Fields, id: string, unitAt: UnitAt): Fields {
  const form = (value: unknown, path: Path): unknown => writtenValue(canonical(value), path, unitAt)
  const route = itemsOf(routes).find((each) => fieldOf(each, 'id') === id)
  return {
    policies: form(policies, ['policies']),
    routes: route === undefined ? [] : [form(route, ['routes', 0])],
  }
}

/** Throws GatewayError 'unprocessable-content' for a configuration that was refused. */
function describe(outcome: Outcome): z.input<typeof reloaded> {
  if (outcome.outcome === 'refused') throw refusal(outcome.problems)
  const { applied } = outcome
  return { outcome: outcome.outcome, revision: applied.revision, generation: applied.generation }
}

function describeRewritten(by: Rewritten | null): z.input<typeof rewritten> {
  return by === null ? null : { ...by, at: timeOf(by.at) }
}

function timeOf(wall: number): string {
  return new Date(wall).toISOString()
}
