import { basename } from 'node:path'
import { z } from 'zod'
import { EditError, editedSource, readText } from '../../config/edited-source.ts'
import { maskedSource } from '../../config/masked-source.ts'
import { ConfigError, formatPath } from '../../config/problems.ts'
import { GatewayError } from '../../core/errors.ts'
import { Semaphore } from '../../core/semaphore.ts'
import type { AdminApp } from '../app.ts'
import type { AdminContext } from '../context.ts'
import { textTag } from '../entity-tags.ts'
import { plan } from '../plan.ts'
import { sourceOf } from '../source-of.ts'
import { maySend } from '../texts.ts'
import { isPlain, type Option, optionsOf, optionValue, valueExpected } from './options.ts'

/** Maximum number of edits in progress or waiting: each takes a thread of its own, so they run one at a time. */
const WAITING = 8
/** Maximum number of options per edit. */
const MAX = 100

const requestBody = z.strictObject({
  kind: z.enum(['route', 'service']),
  name: z.string().describe('ID of the route, or name of the service.'),
  changes: z
    .record(z.string(), optionValue)
    .refine((changes) => Object.keys(changes).length <= MAX, `expected at most ${MAX} changes`)
    .default({})
    .describe('Option -> its value; null removes it from the text. Default none.'),
})

/** The reply. */
export const edit = z.object({
  file: z.string().describe('Name of the file.'),
  writable: z.boolean().describe('Whether the caller may send the text with PUT /config.'),
  options: z
    .object({ option: z.string(), value: optionValue })
    .array()
    .describe('The options that can be changed, with their values in the text; null for those that are not set.'),
  before: z
    .string()
    .describe('The text of the running configuration; secrets are masked if the caller may not send a configuration.'),
  etag: z.string().describe('ETag of the text before, for If-Match.'),
  after: z.string().describe('The same text with the changes.'),
  plan: plan.nullable().describe('What the changes would do; null if there are none, or if there are problems.'),
  problems: z
    .object({
      option: z.string().nullable().describe('The option that caused it; null if unknown.'),
      path: z.string(),
      message: z.string(),
    })
    .array(),
})

/** POST /config/edit: changes some options of a route or a service in the text of the configuration. */
export function editEndpoints(app: AdminApp, { reloads, source }: AdminContext): void {
  const turns = new Semaphore()
  app.post(
    '/config/edit',
    {
      config: { role: 'operator', readsOnly: true },
      schema: {
        summary: 'Change options of a route or service in the text of the configuration, without applying it',
        description:
          'Comments and the order of lines are kept. The changes are checked and compared as by POST /config/plan. The answer contains a text for PUT ' +
          '/config, or in a difference for the file where admin.writable is off.',
        tags: ['configuration'],
        body: requestBody,
        response: { 200: edit },
      },
    },
    async ({ body: { kind, name, changes }, operator }): Promise<z.input<typeof edit>> => {
      const from = sourceOf(source)
      const file = basename(from.file)
      const { text, config } = reloads.applied
      if (text === null) throw new GatewayError('conflict', `${file} is a module: change it there, and reload it.`)
      const writable = maySend(config, operator)
      const written = refusing(() => readText(text))
      const options = optionsOf(written.data, { kind, name })
      const edits = Object.entries(changes).map(([option, value]) => ({ option: known(options, option), value }))
      const changed = edits.map(({ option }) => option)
      const odd = edits.filter(({ value }) => !isPlain(value)).map(({ option }) => option)
      const after =
        odd.length > 0
          ? text
          : refusing(() =>
              editedSource(
                written,
                edits.flatMap(({ option, value }) => option.edit(value) ?? []),
              ),
            )
      const shown = (each: string): string => (writable ? each : maskedSource(each))
      const answer = {
        file,
        writable,
        options: options.map(({ option, value }) => ({ option, value })),
        before: shown(text),
        etag: textTag(text),
        after: shown(after),
      }
      const refused = odd.map(({ option, path }) => ({ option, path: formatPath(path), message: valueExpected }))
      if (after === text) return { ...answer, plan: null, problems: refused }
      if (turns.length >= WAITING)
        throw new GatewayError('too-busy', 'Too many changes are being checked: try again later.')
      try {
        return { ...answer, plan: await turns.run(() => from.plan(after)), problems: [] }
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error
        const problems = error.problems.map(({ path, message }) => ({
          option: blamed(changed, path),
          path,
          message,
        }))
        return { ...answer, plan: null, problems }
      }
    },
  )
}

/** Runs a function and turns its EditError into a GatewayError 'conflict'. */
function refusing<Result>(run: () => Result): Result {
  try {
    return run()
  } catch (error) {
    throw error instanceof EditError ? new GatewayError('conflict', error.message) : error
  }
}

function known(options: readonly Option[], name: string): Option {
  const found = options.find(({ option }) => option === name)
  if (found !== undefined) return found
  throw new GatewayError(
    'bad-request',
    `changes: there is no option ${name} here; expected ${options.map(({ option }) => option).join(', ')}.`,
  )
}

/** The changed option that the problem is about, if it is about one. */
function blamed(changed: readonly Option[], problem: string): string | null {
  const near = changed.find(({ path }) => {
    const own = formatPath(path)
    return problem.startsWith(own) || own.startsWith(problem)
  })
  return problem === '' ? null : (near?.option ?? null)
}
