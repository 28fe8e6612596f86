/** Logs two lines and exits immediately. */
import { createLogger } from '../../src/telemetry/logger.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

const { log } = createLogger({ level: 'info', format: 'auto', clock: new ManualClock() })
log.info({}, 'One')
log.warn({}, 'Two')
process.kill(process.pid, 'SIGKILL')
