import type { Command } from 'commander'
import { z } from 'zod'
import { addAdminOptions, type AdminOptions, requestAdmin, refusalOf } from './admin-client.ts'
import { addExamples, CommandError } from './command.ts'
import { problemsText } from './problems-text.ts'

/** The timeout of the request to the gateway, in milliseconds: it first checks new instances. */
const TIMEOUT = 120_000

const answerSchema = z.object({ outcome: z.enum(['applied', 'unchanged']), revision: z.string() })

interface Options extends AdminOptions {
  readonly force?: true
}

/** `sallyport reload`: makes a running gateway reload its configuration. */
export function defineReload(command: Command): void {
  command
    .description(
      'Reloads the configuration of a running gateway, in all workers. If it is refused, every problem ' +
        'is printed, the running configuration stays, and the command exits with 1.',
    )
    .option('--force', 'even if the file looks incomplete')
  addAdminOptions(command).action(reload)
  addExamples(command, [
    ['sallyport reload', 'the gateway whose admin listener is in sallyport.yaml'],
    ['sallyport reload --admin http://127.0.0.1:9001', 'another gateway'],
  ])
}

async function reload(options: Options): Promise<void> {
  const path = `/config/reload${options.force === true ? '?force=true' : ''}`
  const reply = await requestAdmin(options, { path, timeout: TIMEOUT })
  const problems = problemsText(reply.body)
  if (reply.status === 422 && problems !== null)
    throw new CommandError(`${problems}\nConfiguration refused: the running one is kept.`)
  const { data } = answerSchema.safeParse(reply.body)
  if (reply.status !== 200 || data === undefined) throw refusalOf(reply)
  const { outcome, revision } = data
  console.log(
    outcome === 'applied'
      ? `Configuration applied: revision ${revision}`
      : `Configuration unchanged: revision ${revision}`,
  )
}
