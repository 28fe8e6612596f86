/**
 * Runs next to the reporter of a run: a test that blocks its whole process never reaches its timeout, and tests that are still running are
 * named when the run ends. The total duration is not limited here, because it depends on the machine.
 */
import { systemClock } from '../src/core/clock.ts'
import { endSilence } from './silence.ts'

/** More than twice the time limit of a test. */
const SILENCE = 5 * 60_000

export default endSilence(systemClock, SILENCE, () => process.kill(process.pid, 'SIGTERM'))
