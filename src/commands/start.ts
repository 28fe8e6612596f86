import { parseArgs } from 'node:util'
import { loadConfig } from '../config/load.ts'
import type { GatewayConfig } from '../config/schema.ts'
import { systemClock } from '../core/clock.ts'
import { createLogger, LogFileError, type LogOutput, reopenLog } from '../telemetry/logger.ts'
import { Supervisor } from '../workers/supervisor.ts'
import { CommandError, DEFAULT_FILE } from './command.ts'

/** Runs the gateway until SIGTERM or SIGINT, then lets what is in flight end. */
export async function start(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { config: { type: 'string', short: 'c', default: DEFAULT_FILE } } })
  const config = await loadConfig(values.config, process.env)
  const output = openLog(config)
  const supervisor = new Supervisor(config, output)
  supervisor.answers.on(reopenLog, () => {
    output.reopen()
    return null
  })
  process.on('SIGUSR2', () => void supervisor.askAll(reopenLog, null))
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

function openLog({ log }: GatewayConfig): LogOutput {
  try {
    return createLogger({ ...log, clock: systemClock })
  } catch (error) {
    if (error instanceof LogFileError) throw new CommandError(error.message, { cause: error })
    throw error
  }
}
