#!/usr/bin/env node
/** The command line. */
import { type Command, CommandError, UsageError } from './commands/command.ts'
import { ConfigError } from './config/problems.ts'
import { version } from './front/version.ts'

const USAGE = `Usage: sallyport <command>

  start [--config FILE]   runs the gateway (default: sallyport.yaml)
  check [FILE]            checks a configuration and prints its routing table, or its problems
  keys create --id ID [--owner NAME] [--tier TIER] [--roles A,B] [--expires 90d|2027-01-31] [--config FILE]
                          makes an API key, and shows it this once
  keys list [--config FILE]
                          lists the API keys
  keys revoke ID [--config FILE]
                          ends an API key
  cache purge --url URL | --prefix URL | --host HOST --group GROUP [--admin URL]
                          has a running gateway forget stored replies; ADMIN_TOKEN holds the token of its admin listener
  version                 prints the version
  help                    prints this text
`

/** Each loads what it needs, and none waits for what others need. */
const commands = new Map<string, Command>([
  ['start', async (args) => (await import('./commands/start.ts')).start(args)],
  ['check', async (args) => (await import('./commands/check.ts')).check(args)],
  ['keys', async (args) => (await import('./commands/keys.ts')).keys(args)],
  ['cache', async (args) => (await import('./commands/cache.ts')).cache(args)],
  ['version', showVersion],
  ['help', help],
])

function showVersion(): Promise<number> {
  console.log(version)
  return Promise.resolve(0)
}

function help(): Promise<number> {
  console.log(USAGE)
  return Promise.resolve(0)
}

async function run([name = 'help', ...args]: string[]): Promise<number> {
  const command = commands.get(name)
  try {
    if (command === undefined) throw new UsageError(`Unknown command "${name}".`)
    return await command(args)
  } catch (error) {
    if (error instanceof ConfigError || error instanceof CommandError) {
      console.error(error.message)
      return 1
    }
    if (isUsageError(error)) {
      console.error(`${error.message}\n\n${USAGE}`)
      return 2
    }
    throw error
  }
}

function isUsageError(error: unknown): error is Error {
  if (error instanceof UsageError) return true
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
}

process.exitCode = await run(process.argv.slice(2))
