import type { Command } from 'commander'
import { addExamples, DEFAULT_FILE, UsageError } from './command.ts'

interface Options {
  readonly config?: string
  readonly strict?: true
  readonly json?: true
}

/** `sallyport check`: checks a configuration and prints its routing table. */
export function defineCheck(command: Command, finish: (code: number) => void): void {
  command
    .description(
      'Checks a configuration. Prints its routing table, or all problems with line and column, and warnings about what is valid but ' +
        'probably a mistake.',
    )
    .argument('[file]', `the configuration (default: "${DEFAULT_FILE}")`)
    .option('-c, --config <file>', 'the same as the argument, as for other commands')
    .option('--strict', 'treat warnings as errors')
    .option('--json', 'print problems and warnings as JSON')
    .action(async (named: string | undefined, { config, strict, json }: Options) => {
      if (named !== undefined && config !== undefined)
        throw new UsageError('Name the file once: as FILE or with --config.')
      const file = named ?? config ?? DEFAULT_FILE
      const { check, checkForPrograms } = await import('./run-check.ts')
      if (json === true) return finish(await checkForPrograms(file, strict === true))
      await check(file, strict === true)
    })
  addExamples(command, [
    ['sallyport check gateway.yaml', 'the routing table, or every problem'],
    ['sallyport check --strict --json', 'in a pipeline, with warnings as errors'],
  ])
}
