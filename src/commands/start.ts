import type { Command } from 'commander'
import { startAdmin } from '../admin/server.ts'
import type { GatewayConfig } from '../config/schema.ts'
import { logWarnings } from '../config/log-warnings.ts'
import { formatAddress } from '../core/address.ts'
import { systemClock } from '../core/clock.ts'
import { Answers } from '../core/threads.ts'
import { GatewayProcess } from '../runtime/gateway-process.ts'
import type { Outcome } from '../runtime/reloader.ts'
import { createLogger, LogFileError, type LogOutput, reopenLog } from '../telemetry/logger.ts'
import { type ReadConfig, readConfig } from '../workers/read-config.ts'
import { WorkerFleet } from '../workers/worker-fleet.ts'
import { CommandError, configOption } from './command.ts'
import { refuseInspector, stopSignal } from './signals.ts'

interface Options {
  readonly config: string
}

/** `sallyport start`: runs the gateway until a signal ends it, then lets what is in flight end. */
export function defineStart(command: Command): void {
  command
    .description(
      'Runs the gateway until SIGTERM, SIGINT or SIGQUIT, then lets requests in flight end. SIGHUP has it read its configuration anew.',
    )
    .addOption(configOption())
    .action(start)
}

async function start(options: Options): Promise<void> {
  const first = await readConfig(options.config)
  const { config, warnings, unusable } = first
  const output = openLog(config)
  const { log } = output
  const answers = new Answers(log)
  const fleet = new WorkerFleet({ config, output, clock: systemClock, answers })
  const reload = (force: boolean): Promise<Outcome> => gateway.reload(() => readUsable(options.config), force)
  const gateway = new GatewayProcess({
    first,
    output,
    clock: systemClock,
    random: Math.random,
    answers,
    fleet,
    source: { reload },
    policies: async ({ policyFiles }) => (await import('../config/policy-files.ts')).loadChain(policyFiles),
    startOperators: startAdmin,
  })
  answers.on(reopenLog, () => {
    output.reopen()
    return null
  })
  process.on('SIGUSR2', () => void fleet.askAll(reopenLog, null))
  refuseInspector(log)
  const stopped = stopSignal(() => void reload(false))
  try {
    logWarnings(warnings, log)
    if (unusable !== null) throw new Error(unusable)
    await gateway.start()
    log.info(
      {
        listeners: gateway.addresses.map(formatAddress),
        admin: gateway.adminAddress === null ? null : formatAddress(gateway.adminAddress),
        workers: fleet.size,
        services: Object.keys(config.services).length,
      },
      'Sallyport is listening',
    )
    const signal = await stopped
    const { shutdownDelay, drainTimeout } = gateway.scope.config
    log.info({ signal, delay_ms: shutdownDelay, timeout_ms: drainTimeout }, 'Sallyport is stopping')
    if (!(await gateway.stop())) await killProcess(output)
  } catch (error) {
    log.error({ error }, 'Sallyport could not start')
    throw new CommandError(`Sallyport could not start: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    })
  } finally {
    await output.close()
  }
}

/** A configuration that the gateway can change to. Rejects with ConfigError, or an Error that says why a policy cannot be made. */
async function readUsable(file: string): Promise<ReadConfig> {
  const read = await readConfig(file)
  if (read.unusable !== null) throw new Error(read.unusable)
  return read
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
