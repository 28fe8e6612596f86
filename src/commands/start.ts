import type { Command } from 'commander'
import type { GatewayConfig } from '../config/schema.ts'
import { logWarnings } from '../config/log-warnings.ts'
import { systemClock } from '../core/clock.ts'
import { createLogger, LogFileError, type LogOutput, reopenLog } from '../telemetry/logger.ts'
import { readConfig } from '../workers/read-config.ts'
import { Supervisor } from '../workers/supervisor.ts'
import { CommandError, configOption } from './command.ts'
import { refuseInspector, stopSignal } from './signals.ts'

/** Elsewhere it often means to read the configuration anew. */
const HANGUP = 'SIGHUP ends the gateway: a changed configuration takes effect with the next start'

interface Options {
  readonly config: string
}

/** `sallyport start`: runs the gateway until a signal ends it, then lets what is in flight end. */
export function defineStart(command: Command): void {
  command
    .description('Runs the gateway until SIGTERM, SIGINT, SIGQUIT or SIGHUP, then lets requests in flight end.')
    .addOption(configOption())
    .action(start)
}

async function start(options: Options): Promise<void> {
  const { config, warnings, unusable } = await readConfig(options.config)
  const output = openLog(config)
  const supervisor = new Supervisor(config, output)
  supervisor.answers.on(reopenLog, () => {
    output.reopen()
    return null
  })
  process.on('SIGUSR2', () => void supervisor.askAll(reopenLog, null))
  refuseInspector(output.log)
  const stopped = stopSignal()
  try {
    logWarnings(warnings, output.log)
    if (unusable !== null) throw new Error(unusable)
    await supervisor.start()
    const signal = await stopped
    if (signal === 'SIGHUP') output.log.warn({}, HANGUP)
    if (!(await supervisor.stop(signal))) await killProcess(output)
  } catch (error) {
    output.log.error({ error }, 'Sallyport could not start')
    throw new CommandError(`Sallyport could not start: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    })
  } finally {
    await output.close()
  }
}

/** A thread in a call of the system that does not return keeps the process from ending, also by process.exit. */
async function killProcess(output: LogOutput): Promise<void> {
  output.log.error({}, 'A worker is in a call of the system that does not return: the process is killed')
  await output.close()
  process.kill(process.pid, 'SIGKILL')
}

function openLog({ log }: GatewayConfig): LogOutput {
  try {
    return createLogger({ ...log, clock: systemClock })
  } catch (error) {
    if (error instanceof LogFileError) throw new CommandError(error.message, { cause: error })
    throw error
  }
}
