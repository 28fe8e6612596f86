import type { Command } from 'commander'
import { describeRoutes } from '../config/describe.ts'
import { loadConfig } from '../config/load.ts'
import { loadChain } from '../config/policy-files.ts'
import type { GatewayConfig } from '../config/schema.ts'
import type { Policy } from '../policies/policy.ts'
import { warningsOf } from '../config/warnings.ts'
import { PolicyError } from '../front/snapshot.ts'
import { tryPolicies } from '../front/try-policies.ts'
import { CommandError, DEFAULT_FILE } from './command.ts'

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
  tryAll(config, chain)
  for (const { path, message } of warningsOf(config, chain)) console.error(`warning: ${path}: ${message}`)
  console.log(describeRoutes(config, chain))
}

/** What cannot be made of its options would keep the gateway from starting. */
function tryAll(config: GatewayConfig, chain: readonly Policy[]): void {
  try {
    tryPolicies(config, chain)
  } catch (error) {
    if (error instanceof PolicyError) throw new CommandError(error.message, { cause: error })
    throw error
  }
}
