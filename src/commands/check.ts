import { parseArgs } from 'node:util'
import { describeRoutes } from '../config/describe.ts'
import { loadConfig } from '../config/load.ts'
import { loadChain } from '../config/policy-files.ts'
import { DEFAULT_FILE } from './command.ts'

/** Checks a configuration and prints its routing table. */
export async function check(args: string[]): Promise<number> {
  const { positionals } = parseArgs({ args, allowPositionals: true })
  const config = await loadConfig(positionals[0] ?? DEFAULT_FILE, process.env)
  console.log(describeRoutes(config, await loadChain(config.policyFiles)))
  return 0
}
