/** Logs two lines, and is gone before any time has passed. */
import { createLogger } from '../../src/telemetry/logger.ts'
import { ManualClock } from './manual-clock.ts'

const { log } = createLogger({ level: 'info', format: 'auto', clock: new ManualClock() })
log.info({}, 'One')
log.warn({}, 'Two')
process.kill(process.pid, 'SIGKILL')
