#!/usr/bin/env node
/** The command line. */
import { parseArgs } from 'node:util'
import { describeRoutes } from './config/describe.ts'
import { loadConfig } from './config/load.ts'
import { loadChain } from './config/policy-files.ts'
import { ConfigError } from './config/problems.ts'
import { systemClock } from './core/clock.ts'
import { version } from './front/version.ts'
import { createLogger } from './telemetry/logger.ts'
import { Supervisor } from './workers/supervisor.ts'

const USAGE = `Usage: sallyport <command>

  start [--config FILE]   runs the gateway (default: sallyport.yaml)
  check [FILE]            checks a configuration and prints its routing table, or its problems
  version                 prints the version
  help                    prints this text
`

const DEFAULT_FILE = 'sallyport.yaml'

const commands: Record<string, (args: string[]) => Promise<number>> = { start, check, version: showVersion, help }

/** Runs the gateway until SIGTERM or SIGINT, then lets what is in flight end. */
async function start(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { config: { type: 'string', short: 'c', default: DEFAULT_FILE } } })
  const config = await loadConfig(values.config, process.env)
  const output = createLogger({ ...config.log, clock: systemClock })
  const supervisor = new Supervisor(config, output)
  const stopped = new Promise<void>((resolve) => {
    process.once('SIGTERM', () => resolve())
    process.once('SIGINT', () => resolve())
  })
  try {
    await supervisor.start()
    await stopped
    await supervisor.stop()
    return 0
  } catch (error) {
    output.log.error({ error }, 'Sallyport could not start')
    return 1
  } finally {
    await output.close()
  }
}

async function check(args: string[]): Promise<number> {
  const { positionals } = parseArgs({ args, allowPositionals: true })
  const config = await loadConfig(positionals[0] ?? DEFAULT_FILE, process.env)
  console.log(describeRoutes(config, await loadChain(config.policyFiles)))
  return 0
}

function showVersion(): Promise<number> {
  console.log(version)
  return Promise.resolve(0)
}

function help(): Promise<number> {
  console.log(USAGE)
  return Promise.resolve(0)
}

async function run([name = 'help', ...args]: string[]): Promise<number> {
  const command = commands[name]
  if (command === undefined) {
    console.error(`Unknown command "${name}".\n\n${USAGE}`)
    return 2
  }
  try {
    return await command(args)
  } catch (error) {
    if (error instanceof ConfigError) {
      console.error(error.message)
      return 1
    }
    if (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')) {
      console.error(`${error.message}\n\n${USAGE}`)
      return 2
    }
    throw error
  }
}

process.exitCode = await run(process.argv.slice(2))
