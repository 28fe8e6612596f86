import { resolve } from 'node:path'
import type { GatewayConfig } from '../config/schema.ts'
import { logWarnings } from '../config/log-warnings.ts'
import { formatAddress } from '../core/address.ts'
import { systemClock } from '../core/clock.ts'
import { messageOf } from '../core/error-facts.ts'
import { TopicHandlers } from '../core/threads.ts'
import { createLogger, LogFileError, type LogOutput, reopenLog } from '../telemetry/logger.ts'
import { InheritedSockets } from '../workers/inherited-sockets.ts'
import { comparedConfig } from '../workers/read-config.ts'
import { WorkerFleet } from '../workers/worker-fleet.ts'
import { CommandError } from './command.ts'
import { FileGateway } from './file-gateway.ts'
import { readFirst } from './first-configuration.ts'
import { readUsable } from './read-usable.ts'
import { holdHangUp, refuseInspector, stopSignal } from './signals.ts'

/** The options of `sallyport start`. */
export interface StartOptions {
  readonly config: string
  readonly watch?: true
  readonly stateDir?: string
}

/** Runs the gateway until a signal stops it. Rejects with ConfigError and CommandError. */
export async function start(options: StartOptions): Promise<void> {
  // First of all, because anything started below inherits the environment.
  const inherited = takeSockets()
  const hungUp = holdHangUp()
  const { config: file, watch = false } = options
  const stateDir = options.stateDir === undefined ? null : resolve(options.stateDir)
  const first = await readFirst(file, stateDir)
  const { refused } = first
  const { config, modules, warnings } = first.read
  const output = openLog(config)
  const { log } = output
  const answers = new TopicHandlers(log)
  const fleet = new WorkerFleet({ config, modules, output, clock: systemClock, answers, inherited })
  const gateway = new FileGateway({
    file,
    first,
    reader: {
      read: (instead, stopping) => readUsable(file, instead, stopping),
      compare: (instead, against) => comparedConfig(file, instead, against),
    },
    stateDir,
    watch,
    output,
    clock: systemClock,
    random: Math.random,
    answers,
    fleet,
    policies: async ({ ownPolicies }) => {
      const { loadChain } = await import('../config/load-policies.ts')
      return loadChain(ownPolicies, gateway.process.reloads.applied.modules)
    },
  })
  answers.on(reopenLog, () => {
    output.reopen()
    return null
  })
  process.on('SIGUSR2', () => void fleet.askAll(reopenLog, null))
  refuseInspector(log)
  const stopped = stopSignal(() => void gateway.reload())
  if (hungUp()) void gateway.reload()
  try {
    if (refused !== null)
      log.error(
        { problems: refused.error.message.split('\n'), file: refused.instead },
        'The configuration was refused: the gateway starts with the last good one',
      )
    logWarnings(warnings, log)
    if (inherited.stray !== null)
      log.warn({ pid: inherited.stray }, 'The passed sockets are for another process and are not used')
    await gateway.start()
    const { addresses, adminAddress, scope } = gateway.process
    log.info(
      {
        listeners: addresses.map(formatAddress),
        admin: adminAddress === null ? null : formatAddress(adminAddress),
        workers: fleet.size,
        services: Object.keys(config.services).length,
      },
      'Sallyport is listening',
    )
    const signal = await stopped
    const { shutdownDelay, drainTimeout } = scope.config
    log.info({ signal, delay_ms: shutdownDelay, timeout_ms: drainTimeout }, 'Sallyport is stopping')
    if (!(await gateway.stop())) await killProcess(output)
  } catch (error) {
    log.error({ error }, 'Sallyport could not start')
    throw new CommandError(`Sallyport could not start: ${messageOf(error)}`, {
      cause: error,
    })
  } finally {
    await output.close()
  }
}

function takeSockets(): InheritedSockets {
  try {
    return new InheritedSockets(process.env, process.pid)
  } catch (error) {
    const reason = messageOf(error)
    throw new CommandError(`A passed socket cannot be used: ${reason}.`, { cause: error })
  }
}

/** A thread in a system call that does not return keeps the process from exiting, even by process.exit. */
async function killProcess(output: LogOutput): Promise<void> {
  output.log.error({}, 'A worker is blocked in a system call that does not return: the process is killed')
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
