import type { Command } from 'commander'
import { describeRoutes } from '../config/describe.ts'
import { loadConfig } from '../config/load.ts'
import { loadChain } from '../config/policy-files.ts'
import { warningsOf } from '../config/warnings.ts'
import { DEFAULT_FILE } from './command.ts'

/** `sallyport check`: checks a configuration and prints its routing table. */
export function defineCheck(command: Command): void {
  command
    .description('Checks a configuration. Prints its routing table, or every problem with its line and column.')
    .argument('[file]', 'the configuration', DEFAULT_FILE)
    .action(check)
}

async function check(file: string): Promise<void> {
  const config = await loadConfig(file, process.env)
  const chain = await loadChain(config.policyFiles)
  for (const { path, message } of warningsOf(config, chain)) console.error(`warning: ${path}: ${message}`)
  console.log(describeRoutes(config, chain))
}
