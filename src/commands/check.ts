import type { Command } from 'commander'
import { addExamples, DEFAULT_FILE } from './command.ts'

interface Options {
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
    .argument('[file]', 'the configuration', DEFAULT_FILE)
    .option('--strict', 'treat warnings as errors')
    .option('--json', 'print problems and warnings as JSON')
    .action(async (file: string, { strict, json }: Options) => {
      const { check, checkForPrograms } = await import('./run-check.ts')
      if (json === true) return finish(await checkForPrograms(file, strict === true))
      await check(file, strict === true)
    })
  addExamples(command, [
    ['sallyport check gateway.yaml', 'the routing table, or every problem'],
    ['sallyport check --strict --json', 'in a pipeline, with warnings as errors'],
  ])
}
