/**
 * Beside the reporter of a run: a test that blocks its whole process runs into no time-out of its own, and what is still running is
 * named when the run ends. How long all tests take together is for the machine to say.
 */
import { systemClock } from '../src/core/clock.ts'
import { endSilence } from './silence.ts'

/** More than twice as long as a test may take. */
const SILENCE = 5 * 60_000

export default endSilence(systemClock, SILENCE, () => process.kill(process.pid, 'SIGTERM'))
