import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { z } from 'zod'
import { isModule } from '../config/is-module.ts'
import { formatProblem } from '../config/problems.ts'
import { fileErrorOf } from '../core/read-text.ts'
import { addAdminOptions, type AdminOptions, requestAdmin, refusalOf } from './admin-client.ts'
import { addExamples, CommandError, DEFAULT_FILE } from './command.ts'
import { exitCodes } from './exit-codes.ts'
import { problemMembers, problemOf, problemsText } from './problems-text.ts'

/** Stands for the configuration of a running gateway instead of a file. */
const RUNNING = 'running'

/** The timeout of that request, in milliseconds. */
const TIMEOUT = 60_000

/** A plan, as in the admin API. */
const answerSchema = z.object({
  same: z.boolean(),
  changes: z.unknown().array(),
  warnings: problemMembers,
  text: z.string(),
})

interface Options extends AdminOptions {
  readonly against: string
  readonly json?: true
}

/** `sallyport plan`: shows what a changed configuration would do. */
export function definePlan(command: Command, finish: (code: number) => void): void {
  command
    .description(
      'Compares the meaning of two configurations, and says what each change does: whether it ends WebSockets and streams, ' +
        'resets counts or other state, or needs a restart. Exits with 0 if they mean the same, with 2 if they differ, ' +
        'and with 1 if one of them is refused.',
    )
    .argument('[file]', `the new configuration (default: ${DEFAULT_FILE}, or the file of the running gateway)`)
    .requiredOption(
      '--against <file>',
      `the configuration that it would replace, or "${RUNNING}" for that of a running gateway`,
    )
    .option('--json', 'print the plan as JSON')
  addAdminOptions(command).action(async (file: string | undefined, options: Options) => {
    const { text, warnings, ...plan } = await (options.against === RUNNING
      ? runningPlan(file, options)
      : (await import('./plan-files.ts')).planFiles(file ?? DEFAULT_FILE, options.against))
    for (const warning of warnings)
      console.error(formatProblem({ ...problemOf(warning, file), path: `warning: ${warning.path}` }))
    console.log(options.json === true ? JSON.stringify({ ...plan, warnings }, null, 2) : text)
    finish(plan.same ? exitCodes.done : exitCodes.different)
  })
  addExamples(command, [
    ['sallyport plan new.yaml --against sallyport.yaml', 'what another file would change'],
    ['sallyport plan --against running', 'what a reload of the running gateway would do'],
  ])
}

/** The gateway reads its own file, or the given text with its own variables, as if that were its file. */
async function runningPlan(file: string | undefined, options: Options): Promise<z.output<typeof answerSchema>> {
  const body = file === undefined ? '' : await textOf(file)
  const reply = await requestAdmin(options, { path: '/config/plan', body, type: 'application/yaml', timeout: TIMEOUT })
  const problems = reply.status === 422 ? problemsText(reply.body, file) : null
  if (problems !== null) throw new CommandError(problems)
  const { data } = answerSchema.safeParse(reply.body)
  if (reply.status !== 200 || data === undefined) throw refusalOf(reply)
  return data
}

async function textOf(file: string): Promise<string> {
  if (isModule(file))
    throw new CommandError(`${file} is a module: a running gateway is only asked about YAML and JSON.`)
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw new CommandError(`${file}: ${fileErrorOf(error).message}.`, { cause: error })
  })
}
