import type { Command } from 'commander'
import { describeRoutes } from '../config/describe.ts'
import { warningsOf } from '../config/warnings.ts'
import { DEFAULT_FILE } from './command.ts'
import { loadChecked } from './load-checked.ts'

/** `sallyport check`: checks a configuration and prints its routing table. */
export function defineCheck(command: Command): void {
  command
    .description('Checks a configuration. Prints its routing table, or every problem with its line and column.')
    .argument('[file]', 'the configuration', DEFAULT_FILE)
    .action(check)
}

async function check(file: string): Promise<void> {
  const { config, chain } = await loadChecked(file)
  for (const { path, message } of warningsOf(config, chain)) console.error(`warning: ${path}: ${message}`)
  console.log(describeRoutes(config, chain))
}
