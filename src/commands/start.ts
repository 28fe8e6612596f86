import { parseArgs } from 'node:util'
import { loadConfig } from '../config/load.ts'
import { systemClock } from '../core/clock.ts'
import { createLogger } from '../telemetry/logger.ts'
import { Supervisor } from '../workers/supervisor.ts'
import { DEFAULT_FILE } from './command.ts'

/** Runs the gateway until SIGTERM or SIGINT, then lets what is in flight end. */
export async function start(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { config: { type: 'string', short: 'c', default: DEFAULT_FILE } } })
  const config = await loadConfig(values.config, process.env)
  const output = createLogger({ ...config.log, clock: systemClock })
  const supervisor = new Supervisor(config, output.log)
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
